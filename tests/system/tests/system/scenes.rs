//! What several tests begin and end with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longshore_system_tests::{
    Cli, Effects, Ending, Fleet, History, Moment, Place, Work, judge, until,
};

/// The queue of all tests.
pub(crate) const QUEUE: &str = "jobs";

/// Stores jobs by the command line, as one stream.
pub(crate) fn enqueue(cli: &Cli, jobs: impl IntoIterator<Item = Work>) -> u64 {
    enqueue_lines(cli, jobs.into_iter().map(|job| job.line()))
}

/// Stores lines of `--jsonl`.
pub(crate) fn enqueue_lines(cli: &Cli, lines: impl Iterator<Item = String>) -> u64 {
    let input: String = lines.collect();
    let answer = cli.call_with(&["enqueue", QUEUE, "--jsonl"], input.as_bytes());
    assert_eq!(answer.ending, Ending::Code(0), "{answer:?}");
    let counts = answer.json();
    assert_eq!(counts["failed"], 0, "{counts}");
    counts["stored"].as_u64().expect("a count")
}

/// The lines that the handlers left so far.
pub(crate) fn effects(place: &Place) -> Effects {
    Effects::read(&place.path("effects"))
}

/// Waits until so many handlers have begun.
pub(crate) fn until_started(place: &Place, starts: usize, deadline: Duration) {
    let what = format!("{starts} jobs that run");
    until(&what, deadline, || {
        effects(place).count(Moment::Start) >= starts
    });
}

/// Waits until nothing is waiting, delayed or leased.
pub(crate) fn until_empty(cli: &Cli, deadline: Duration) {
    until("an empty queue", deadline, || cli.live(QUEUE) == 0);
}

/// What happened in a test whose queue is empty at the end.
pub(crate) fn history(place: &Place, cli: &Cli, fleet: &Fleet<'_>, keys: BTreeSet<u64>) -> History {
    assert_eq!(cli.live(QUEUE), 0);
    let mut dead = BTreeMap::new();
    for letter in cli.dead(QUEUE) {
        let id = letter["id"].as_str().expect("a dead letter has an id");
        let shown = cli.json(&["dead", "show", QUEUE, id]);
        let body = shown["body"].as_str().expect("the body of a job is text");
        let job: Work = serde_json::from_str(body).expect("the body is a job");
        *dead.entry(job.key).or_default() += 1;
    }
    History {
        tried: keys.clone(),
        stored: keys,
        effects: effects(place),
        killed: fleet.killed().clone(),
        dead,
        leased_max: leased_max(place),
        ..History::default()
    }
}

/// How many messages one worker may hold: its slots, and as many again whose end is on its way to
/// the store.
pub(crate) fn leased_max(place: &Place) -> u32 {
    2 * Fleet::order(place, "").slots
}

/// Asserts that no promise was broken.
pub(crate) fn assert_sound(history: &History) {
    let broken = judge(history);
    let shown: Vec<_> = broken.iter().take(10).map(ToString::to_string).collect();
    assert!(
        broken.is_empty(),
        "{} broken promises:\n{}",
        broken.len(),
        shown.join("\n")
    );
}
