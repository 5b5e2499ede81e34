//! Attempts: the boundary, the delays, permanent failures, panics, timeouts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use longshore::core::DeadReason;
use longshore::prelude::*;

use crate::stage::{Count, Stage, count, start, until};

#[derive(Clone, Default)]
struct Calls(Arc<AtomicU32>);

impl Calls {
    fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn fails(
    _job: Count,
    State(calls): State<Calls>,
    Attempt(n): Attempt,
) -> Result<(), Failure> {
    assert_eq!(calls.next(), n);
    Err(Failure::retryable("no luck").label("luck"))
}

async fn run_until_dead(stage: &Stage, policy: Policy) -> (u32, longshore::RunReport) {
    let calls = Calls::default();
    stage.queue().enqueue(count(1)).await.unwrap();
    let worker = stage.worker().with_state(calls.clone());
    let worker = worker.policy(policy).queue("work", |q| q.handle(fails));
    let running = start(worker.build().unwrap());
    until("it is dead", async || stage.stats().await.dead == 1).await;
    (calls.get(), running.stop().await)
}

#[tokio::test]
async fn two_redeliveries_are_exactly_three_deliveries() {
    for stage in [Stage::memory().await, Stage::sqlite().await] {
        let policy = Policy::redeliveries(2).delay(Duration::from_millis(1));
        let (calls, report) = run_until_dead(&stage, policy).await;
        assert_eq!(calls, 3);
        assert_eq!((report.retried, report.dead, report.acked), (2, 1, 0));
        let dead = stage.dead().await;
        assert_eq!(dead[0].attempts, 3);
        assert_eq!(dead[0].dead().unwrap().reason, DeadReason::Exhausted);
        let records = dead[0].history.records();
        let attempts: Vec<u32> = records.iter().map(|r| r.attempt).collect();
        assert_eq!(attempts, [1, 2, 3]);
        assert_eq!(records[2].record.label.as_str(), "handler.luck");
        assert_eq!(records[2].record.error, "no luck");
    }
}

#[tokio::test]
async fn no_redelivery_is_one_delivery() {
    let stage = Stage::memory().await;
    let (calls, report) = run_until_dead(&stage, Policy::redeliveries(0)).await;
    assert_eq!((calls, report.retried, report.dead), (1, 0, 1));
}
