//! A process that is stopped while it holds the lock of the writers.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use longshore_system_tests::{
    Cli, Ending, Ledger, PRODUCER, Place, Process, ProducerOrder, until, until_some,
};
use rustix::process::Signal;

use crate::scenes::QUEUE;

/// The others answer by their deadline, with an error that says that nothing was stored, and go
/// on once the holder does.
#[test]
fn a_stopped_holder_hangs_nobody_beyond_the_deadline() {
    let place = Place::new();
    let cli = Cli::new(place.store());
    assert_eq!(
        cli.call(&["enqueue", QUEUE, "first"]).ending,
        Ending::Code(0)
    );
    let lock = lock_file(&place);
    let order = ProducerOrder {
        store: place.store(),
        queue: QUEUE.into(),
        ledger: place.path("ledger").display().to_string(),
        first: 0,
        jobs: 10_000_000,
        batch_max: 60,
        gate: None,
        pace_ms: 0,
        patient: false,
    };
    let mut holder = Process::start(
        &place,
        PRODUCER,
        [serde_json::json!(order).to_string()],
        &[],
    );
    until("a producer at work", Duration::from_secs(20), || {
        !Ledger::read(&place.path("ledger")).1.is_empty()
    });
    stop_while_it_holds(&mut holder, &lock);

    let patient = Cli::new(place.store() + "?timeout=1s");
    let begin = Instant::now();
    let answer = patient.call(&["enqueue", QUEUE, "meanwhile"]);
    let took = begin.elapsed();
    assert!(
        took < Duration::from_secs(6),
        "it took {took:?}: {answer:?}"
    );
    assert!(
        matches!(answer.ending, Ending::Code(69 | 75)),
        "somebody else holds the lock: {answer:?}"
    );
    // Looking needs no turn.
    let begin = Instant::now();
    assert!(cli.live(QUEUE) > 0);
    assert!(begin.elapsed() < Duration::from_secs(6));

    holder.signal(Signal::CONT);
    until(
        "a store that answers again",
        Duration::from_secs(10),
        || cli.call(&["enqueue", QUEUE, "after"]).ending == Ending::Code(0),
    );
    holder.kill();
    let (tried, stored) = Ledger::read(&place.path("ledger"));
    let waiting = cli.queue(QUEUE)["waiting"].as_u64().expect("a count");
    // `first` and one or more `after`; `meanwhile` was refused.
    assert!(
        waiting >= stored.len() as u64 + 2,
        "{waiting} of {}",
        stored.len()
    );
    assert!(
        waiting <= tried.len() as u64 + 12,
        "{waiting} of {}",
        tried.len()
    );
    let bodies = cli.json(&["peek", QUEUE, "--limit", "100000"]).to_string();
    assert!(
        !bodies.contains("meanwhile"),
        "an enqueue that was refused is there"
    );
}

/// The file beside the database that the writers lock.
fn lock_file(place: &Place) -> PathBuf {
    place.path("queue.db-lock")
}

fn stop_while_it_holds(holder: &mut Process, lock: &PathBuf) {
    until_some(
        "a process that is stopped in its turn",
        Duration::from_secs(30),
        || {
            holder.stop();
            if is_locked(lock) {
                return Some(());
            }
            holder.signal(Signal::CONT);
            None
        },
    );
}

fn is_locked(path: &PathBuf) -> bool {
    let file = File::options()
        .write(true)
        .open(path)
        .expect("the lock file is there");
    match file.try_lock() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => panic!("the lock cannot be tried: {error}"),
    }
}
