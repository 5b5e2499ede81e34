//! What a producer was told is stored is there, whenever the producer was killed.

use std::time::Duration;

use longshore_system_tests::{Cli, Fleet, Ledger, PRODUCER, Place, Process, ProducerOrder, until};

use crate::scenes::{QUEUE, assert_sound, history, until_empty};

const ROUNDS: u64 = 8;
const PRODUCERS: u64 = 3;

#[test]
fn every_job_reported_stored_is_there() {
    let place = Place::new();
    let cli = Cli::new(place.store());
    let ledger = place.path("ledger");
    let mut random = fastrand::Rng::with_seed(19_700_101);
    for round in 0..ROUNDS {
        let before = Ledger::read(&ledger).1.len();
        let mut producers: Vec<_> = (0..PRODUCERS)
            .map(|index| start(&place, (round * PRODUCERS + index) * 1_000_000))
            .collect();
        // Not before something was stored; then at any moment.
        until(
            "a job of this round that is stored",
            Duration::from_secs(20),
            || Ledger::read(&ledger).1.len() > before,
        );
        for producer in &mut producers {
            let pause = Duration::from_millis(random.u64(0..120));
            let begin = std::time::Instant::now();
            until("the next kill", Duration::from_secs(5), || {
                begin.elapsed() >= pause
            });
            assert_eq!(
                producer.ended(),
                None,
                "it was to be killed at work: {}",
                producer.output()
            );
            producer.kill();
        }
    }
    let (tried, stored) = Ledger::read(&ledger);
    assert!(
        stored.len() >= 100,
        "only {} jobs were stored: nothing was tried",
        stored.len()
    );
    println!(
        "{} jobs tried, {} reported stored",
        tried.len(),
        stored.len()
    );

    let waiting = cli.queue(QUEUE)["waiting"].as_u64().expect("a count");
    assert!(
        waiting >= stored.len() as u64 && waiting <= tried.len() as u64,
        "{waiting}"
    );
    let mut fleet = Fleet::new(&place, 2, Fleet::order(&place, &place.fast_store()));
    fleet.start_all();
    until_empty(&cli, Duration::from_secs(60));
    fleet.drain(Duration::from_secs(20));
    let mut history = history(&place, &cli, &fleet, tried);
    history.stored = stored;
    assert_sound(&history);
}

fn start(place: &Place, first: u64) -> Process {
    let order = ProducerOrder {
        store: place.store(),
        queue: QUEUE.into(),
        ledger: place.path("ledger").display().to_string(),
        first,
        jobs: 1_000_000,
        batch_max: 40,
        gate: None,
        pace_ms: 0,
        patient: false,
    };
    Process::start(place, PRODUCER, [serde_json::json!(order).to_string()], &[])
}
