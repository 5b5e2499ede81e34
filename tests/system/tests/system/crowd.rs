//! Many processes that write at the same time.

use std::fs::File;
use std::time::Duration;

use longshore_system_tests::{Cli, Ending, Ledger, PRODUCER, Place, Process, ProducerOrder, until};

use crate::scenes::QUEUE;

const PRODUCERS: u64 = 8;
const JOBS: u64 = 2_000;

/// Nobody waits beyond its deadline, and when the first one is done, each of those who began with
/// it has had a fair part of the turns.
#[test]
fn a_crowd_of_writers_takes_turns() {
    let place = Place::new();
    let ledger = place.path("ledger");
    let gate = File::create(place.path("gate")).expect("a file can be made");
    gate.lock().expect("nobody else has it");
    let start = |index: u64| {
        let order = ProducerOrder {
            store: place.store(),
            queue: QUEUE.into(),
            ledger: ledger.display().to_string(),
            first: index * 1_000_000,
            jobs: JOBS,
            batch_max: 8,
            gate: Some(place.path("gate").display().to_string()),
            pace_ms: 0,
            patient: false,
        };
        Process::start(
            &place,
            PRODUCER,
            [serde_json::json!(order).to_string()],
            &[],
        )
    };
    let mut crowd: Vec<_> = (0..PRODUCERS).map(start).collect();
    until("all to stand at the gate", Duration::from_secs(120), || {
        Ledger::read(&ledger).1.len() as u64 == PRODUCERS
    });
    drop(gate);
    until("the first one to be done", Duration::from_secs(120), || {
        crowd.iter_mut().any(|producer| producer.ended().is_some())
    });
    let (_, stored) = Ledger::read(&ledger);
    let parts: Vec<_> = (0..PRODUCERS)
        .map(|index| {
            stored
                .range(index * 1_000_000..(index + 1) * 1_000_000)
                .count()
        })
        .collect();
    for producer in &mut crowd {
        let ending = producer.wait(Duration::from_secs(120));
        assert_eq!(
            ending,
            Ending::Code(0),
            "a call was not answered in time: {}",
            producer.output()
        );
    }
    println!("stored by each when the first one was done: {parts:?}");
    let least = parts.iter().min().copied().unwrap_or(0) as u64;
    assert!(
        least >= JOBS / 20,
        "one had to wait for all the others: {parts:?}"
    );
    assert_eq!(
        Cli::new(place.store()).queue(QUEUE)["waiting"],
        PRODUCERS * JOBS
    );
}
