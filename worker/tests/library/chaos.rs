//! Two workers on a store whose calls keep failing, before and after their effect: nothing is
//! lost, and what is counted adds up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use longshore::prelude::*;
use longshore_conformance::{Call, FaultControl};

use crate::faults::{ANSWER_LOST, AWAY, behind_faults};
use crate::stage::{Count, Stage, count, start, until};

const MESSAGES: u64 = 1500;

/// Every tenth call or so fails, the same ones in every run.
fn plan(faults: &FaultControl, number: u64) {
    let mut random = fastrand::Rng::with_seed(number);
    for call in [Call::Receive, Call::Settle, Call::Extend] {
        // A receive that fails after its effect leases messages to nobody until their lease ends.
        let late = if call == Call::Receive {
            AWAY
        } else {
            ANSWER_LOST
        };
        for nth in 1..3000 {
            match random.u8(..20) {
                0 => faults.at(call, nth, AWAY),
                1 => faults.at(call, nth, late.clone()),
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_behind_a_store_that_keeps_failing() {
    for (round, stage) in [Stage::memory().await, Stage::sqlite().await]
        .into_iter()
        .enumerate()
    {
        let runs = Arc::new(Mutex::new(BTreeMap::<u64, u32>::new()));
        let mut workers = Vec::new();
        for number in 0..2 {
            let (connection, faults) = behind_faults(&stage.connection);
            plan(&faults, round as u64 * 2 + number);
            let seen = runs.clone();
            let handler = move |job: Count, Attempt(attempt): Attempt| {
                *seen.lock().unwrap().entry(job.number).or_default() += 1;
                async move {
                    if job.number.is_multiple_of(7) && attempt == 1 {
                        return Err(Failure::retryable("not yet"));
                    }
                    Ok(())
                }
            };
            let policy = Policy::redeliveries(3).delay(Duration::from_millis(5));
            let worker = Worker::builder(connection)
                .policy(policy)
                .idle_wait(Duration::from_millis(20));
            let worker = worker.queue("work", |q| q.handle(handler));
            workers.push(start(worker.build().unwrap()));
        }
        let jobs = (0..MESSAGES).map(count);
        stage
            .queue()
            .enqueue_batch(jobs)
            .await
            .unwrap()
            .require_all()
            .unwrap();
        stage.until_empty().await;
        until("both have settled", async || {
            workers
                .iter()
                .all(|worker| worker.handle.stats().running == 0)
        })
        .await;
        let (mut acked, mut retried, mut errors) = (0, 0, 0);
        for worker in workers {
            errors += worker.handle.stats().receive_errors;
            let report = worker.stop().await;
            let lost = (report.dead, report.dropped, report.lease_lost);
            assert_eq!(lost, (0, 0, 0));
            acked += report.acked;
            retried += report.retried;
        }
        assert!(errors > 0, "the faults were felt");
        let runs = runs.lock().unwrap().clone();
        assert_eq!(runs.len() as u64, MESSAGES, "every message ran");
        let once_more = |number: u64| 1 + u32::from(number.is_multiple_of(7));
        let wrong: Vec<_> = runs
            .iter()
            .filter(|(n, runs)| **runs != once_more(**n))
            .collect();
        assert!(wrong.is_empty(), "ran more often than it failed: {wrong:?}");
        assert_eq!((acked, retried), (MESSAGES, MESSAGES.div_ceil(7)));
        assert!(stage.dead().await.is_empty());
    }
}
