//! A worker that is stopped for longer than its leases and then goes on.

use std::time::Duration;

use longshore_system_tests::{Act, Cli, Fleet, Moment, Place, Work, until};
use rustix::process::Signal;

use crate::scenes::{QUEUE, assert_sound, effects, enqueue, history, until_empty, until_started};

/// Its jobs are worked by another one; what it says when it wakes up has no effect.
#[test]
fn a_worker_that_slept_too_long_changes_nothing() {
    let place = Place::new();
    a_worker_that_slept_too_long_changes_nothing_in(&place);
}

#[test]
fn a_worker_that_slept_too_long_changes_nothing_on_redis() {
    let place = Place::on_redis();
    a_worker_that_slept_too_long_changes_nothing_in(&place);
}

fn a_worker_that_slept_too_long_changes_nothing_in(place: &Place) {
    let cli = Cli::new(place.store());
    let order = Fleet::order(place, &place.store());
    enqueue(&cli, (0..8).map(|key| Work::new(key, Act::Take(700))));
    let mut fleet = Fleet::new(place, 2, order);
    fleet.start(0);
    until_started(place, 8, Duration::from_secs(20));
    fleet.process(0).stop();
    let sleeper = fleet.life(0);
    fleet.start(1);
    until(
        "the other worker to finish all",
        Duration::from_secs(30),
        || {
            let done = effects(place);
            let ends = done.all().iter().filter(|line| line.moment == Moment::End);
            ends.filter(|line| line.life == fleet.life(1)).count() == 8
        },
    );
    until_empty(&cli, Duration::from_secs(20));
    fleet.process(0).signal(Signal::CONT);
    fleet.drain(Duration::from_secs(20));

    // To the others it was as good as killed.
    fleet.count_as_killed(sleeper.clone());
    let mut seen = history(place, &cli, &fleet, (0..8).collect());
    let late =
        |line: &longshore_system_tests::Effect| line.life == sleeper && line.moment == Moment::End;
    // A job may have come to its end between the wake-up and the word that its lease is lost.
    seen.effects = longshore_system_tests::Effects::from(
        seen.effects
            .all()
            .iter()
            .filter(|line| !late(line))
            .cloned()
            .collect::<Vec<_>>(),
    );
    assert_sound(&seen);
    assert_eq!(seen.effects.count(Moment::Start), 16);
    assert_eq!(cli.queue(QUEUE)["dead"], 0);
}
