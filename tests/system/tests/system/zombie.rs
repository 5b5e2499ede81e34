//! A worker that is stopped for longer than its leases and then goes on.

use std::time::Duration;

use longshore_system_tests::{
    Act, Cli, Effect, Effects, Ending, Fleet, Moment, Place, Work, until,
};
use rustix::process::Signal;

use crate::scenes::{QUEUE, assert_sound, effects, enqueue, history, until_empty, until_started};

/// Longer than all of it takes.
const WAIT: Duration = Duration::from_secs(60);

/// How long the leases last where a stopped worker's messages are handed on when these end.
const LEASE: Duration = Duration::from_secs(2);

/// Its jobs are worked by another one; what it says when it wakes up has no effect.
#[test]
fn a_worker_that_slept_too_long_changes_nothing() {
    let place = Place::new();
    a_worker_that_slept_too_long_changes_nothing_in(&place, &place.store(), LEASE);
}

#[test]
fn a_worker_that_slept_too_long_changes_nothing_on_redis() {
    let place = Place::on_redis();
    a_worker_that_slept_too_long_changes_nothing_in(&place, &place.store(), LEASE);
}

pub(crate) fn a_worker_that_slept_too_long_changes_nothing_in(
    place: &Place,
    store: &str,
    lease: Duration,
) {
    let cli = Cli::new(store);
    let mut order = Fleet::order(place, store);
    order.lease_ms = u64::try_from(lease.as_millis()).expect("a short lease");
    // No job ends before the test says so, however slow the machine is.
    enqueue(&cli, (0..8).map(|key| Work::new(key, Act::Wait)));
    let mut fleet = Fleet::new(place, 2, order);
    fleet.start(0);
    until_started(place, 8, WAIT);
    stop_outside_of_writes(&mut fleet, &cli);
    let begun = effects(place).count(Moment::Start);
    let sleeper = fleet.life(0);
    std::fs::write(place.path("go"), "").expect("a file");
    fleet.start(1);
    until("the other worker to finish all", WAIT, || {
        let done = effects(place);
        let ends = done.all().iter().filter(|line| line.moment == Moment::End);
        ends.filter(|line| line.life == fleet.life(1)).count() == 8
    });
    until_empty(&cli, WAIT);
    fleet.process(0).signal(Signal::CONT);
    fleet.drain(WAIT);

    // To the others it was as good as killed.
    fleet.count_as_killed(sleeper.clone());
    let mut seen = history(place, &cli, &fleet, (0..8).collect());
    // Its jobs may have come to their ends between the wake-up and the word that the leases are
    // lost.
    let late = |line: &&Effect| line.life == sleeper && line.moment == Moment::End;
    let kept = seen.effects.all().iter().filter(|line| !late(line));
    seen.effects = Effects::from(kept.cloned().collect::<Vec<_>>());
    assert_sound(&seen);
    assert_eq!(seen.effects.count(Moment::Start), begun + 8);
    assert_eq!(cli.queue(QUEUE)["dead"], 0);
}

/// Stops the first worker where others can go on: one that is stopped within a transaction on
/// SQLite keeps the file locked until it goes on, which is what the tests of `stall` are about.
fn stop_outside_of_writes(fleet: &mut Fleet<'_>, cli: &Cli) {
    until("a stop that locks nobody out", WAIT, || {
        fleet.process(0).stop();
        let others_go_on = cli.call(&["enqueue", "another", "{}"]).ending == Ending::Code(0);
        if !others_go_on {
            fleet.process(0).signal(Signal::CONT);
        }
        others_go_on
    });
}
