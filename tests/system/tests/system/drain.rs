//! SIGTERM, once and twice.

use std::time::{Duration, Instant};

use longshore_system_tests::{
    Act, Cli, Ending, Fleet, LONGSHORE, Moment, Place, Process, Work, until, until_some,
};
use rustix::process::{Pid, Signal, test_kill_process};

use crate::scenes::{QUEUE, assert_sound, effects, enqueue, history, until_empty, until_started};

/// Running jobs end, the rest goes back and no attempt is charged.
#[test]
fn a_drain_charges_nothing() {
    let place = Place::new();
    a_drain_charges_nothing_in(&place);
}

#[test]
fn a_drain_charges_nothing_on_redis() {
    let place = Place::on_redis();
    a_drain_charges_nothing_in(&place);
}

fn a_drain_charges_nothing_in(place: &Place) {
    let cli = Cli::new(place.store());
    let mut order = Fleet::order(place, &place.store());
    order.slots = 4;
    // Far away: a lease that was not given back would be waited for in vain.
    order.lease_ms = 120_000;
    enqueue(&cli, (0..40).map(|key| Work::new(key, Act::Wait)));
    let mut fleet = Fleet::new(place, 2, order);
    fleet.start(0);
    until_started(place, 4, Duration::from_secs(20));
    fleet.process(0).signal(Signal::TERM);
    until(
        "everything unstarted back in the queue",
        Duration::from_secs(10),
        || cli.queue(QUEUE)["leased"] == 4,
    );
    assert_eq!(fleet.process(0).ended(), None, "running jobs may end");
    place.write("go", "");
    fleet.wait(Duration::from_secs(10));
    assert_eq!(effects(place).count(Moment::End), 4);
    assert_eq!(cli.queue(QUEUE)["leased"], 0);
    assert_eq!(cli.queue(QUEUE)["waiting"], 36);

    fleet.start(1);
    until_empty(&cli, Duration::from_secs(20));
    fleet.drain(Duration::from_secs(10));
    let seen = history(place, &cli, &fleet, (0..40).collect());
    assert_sound(&seen);
    assert!(
        seen.effects.all().iter().all(|line| line.attempt == 1),
        "an attempt was charged"
    );
}

/// A busy worker hands nothing on twice and loses nothing when it is told to stop.
#[test]
fn a_drain_under_load_repeats_nothing() {
    let place = Place::new();
    a_drain_under_load_repeats_nothing_in(&place);
}

#[test]
fn a_drain_under_load_repeats_nothing_on_redis() {
    let place = Place::on_redis();
    a_drain_under_load_repeats_nothing_in(&place);
}

fn a_drain_under_load_repeats_nothing_in(place: &Place) {
    let cli = Cli::new(place.fast_store());
    let mut order = Fleet::order(place, &place.fast_store());
    order.lease_ms = 120_000;
    enqueue(
        &cli,
        (0..3_000).map(|key| Work::new(key, Act::Take(key % 10))),
    );
    let mut fleet = Fleet::new(place, 3, order);
    for (index, starts) in [(0, 300), (1, 900), (2, 1_500)] {
        fleet.start(index);
        until_started(place, starts, Duration::from_secs(30));
        fleet.drain(Duration::from_secs(15));
    }
    fleet.start(0);
    until_empty(&cli, Duration::from_secs(60));
    fleet.drain(Duration::from_secs(15));
    let seen = history(place, &cli, &fleet, (0..3_000).collect());
    assert_sound(&seen);
    assert_eq!(
        seen.effects.count(Moment::Start),
        3_000,
        "a drain repeats no delivery"
    );
}

/// Jobs that do not end are given up by the end of the budget, and another worker has them.
#[test]
fn a_drain_ends_by_its_budget() {
    let place = Place::new();
    a_drain_ends_by_its_budget_in(&place);
}

#[test]
fn a_drain_ends_by_its_budget_on_redis() {
    let place = Place::on_redis();
    a_drain_ends_by_its_budget_in(&place);
}

fn a_drain_ends_by_its_budget_in(place: &Place) {
    let cli = Cli::new(place.store());
    let mut order = Fleet::order(place, &place.store());
    order.drain_ms = 1_000;
    enqueue(&cli, [Work::new(1, Act::Wait)]);
    let mut fleet = Fleet::new(place, 2, order);
    fleet.start(0);
    until_started(place, 1, Duration::from_secs(20));
    let first = fleet.life(0);
    let begin = Instant::now();
    fleet.drain(Duration::from_secs(8));
    assert!(
        begin.elapsed() >= Duration::from_millis(900),
        "the budget was not given"
    );
    fleet.count_as_killed(first);
    assert_eq!(cli.live(QUEUE), 1);
    place.write("go", "");
    fleet.start(1);
    until_empty(&cli, Duration::from_secs(20));
    fleet.drain(Duration::from_secs(10));
    assert_eq!(effects(place).count(Moment::End), 1);
}

/// The second signal ends a run at once, and the program of its step with it.
#[test]
fn a_second_signal_ends_at_once() {
    let place = Place::new();
    let cli = Cli::new(place.store());
    let pid_file = place.path("step.pid");
    let file = place.write(
        "routes.toml",
        format!(
            r#"
version = 1
[store]
url = "{}"
[[route]]
name = "slow"
from = {{ queue = "{QUEUE}" }}
lease = "5s"
[[route.step]]
exec = {{ command = ["sh", "-c", "echo $$ > {}; exec sleep 600"], timeout = "10m" }}
"#,
            place.store(),
            pid_file.display()
        ),
    );
    assert_eq!(cli.call(&["enqueue", QUEUE, "x"]).ending, Ending::Code(0));
    let arguments = ["run".as_ref(), file.as_os_str()];
    let mut run = Process::start(&place, LONGSHORE, arguments, &[]);
    let step = until_some("the program of the step", Duration::from_secs(20), || {
        let text = std::fs::read_to_string(&pid_file).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    });
    run.signal(Signal::TERM);
    // Not before: two signals at once are one to the system.
    until("the word that it drains", Duration::from_secs(10), || {
        run.output().contains("draining")
    });
    assert_eq!(
        run.ended(),
        None,
        "the first signal lets the job end: {}",
        run.output()
    );
    let begin = Instant::now();
    run.signal(Signal::TERM);
    let ending = run.wait(Duration::from_secs(10));
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
    assert!(
        matches!(ending, Ending::Code(143) | Ending::Signal(15)),
        "{ending:?}: {}",
        run.output()
    );
    until(
        "the program of the step gone",
        Duration::from_secs(5),
        || test_kill_process(step).is_err(),
    );
    // Nothing is lost: the message is there, given back or until its lease ends.
    assert_eq!(cli.live(QUEUE), 1);
    let received = cli.json(&["receive", QUEUE, "--wait", "15s"]);
    assert_eq!(received[0]["body"], "x", "{received}");
}
