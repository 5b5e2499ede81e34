//! Settling: repeated while the store is away, in batches, and given up only with the lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use longshore::prelude::*;
use longshore_conformance::Call;

use crate::faults::{ANSWER_LOST, AWAY, REFUSED, behind_faults};
use crate::stage::{Count, Stage, count, start, until};

async fn done(_: Count) {}

#[tokio::test]
async fn a_settle_whose_answer_is_lost_is_repeated_and_counts_once() {
    for stage in [Stage::memory().await, Stage::sqlite().await] {
        let (connection, faults) = behind_faults(&stage.connection);
        faults.at(Call::Settle, 1, AWAY);
        faults.at(Call::Settle, 2, AWAY);
        let worker = Worker::builder(connection);
        let running = start(worker.queue("work", |q| q.handle(done)).build().unwrap());
        stage.queue().enqueue(count(1)).await.unwrap();
        stage.until_empty().await;
        let report = running.stop().await;
        assert_eq!((report.acked, report.dropped), (1, 0));
        assert_eq!(faults.calls(Call::Settle), 3);
    }
}

#[tokio::test]
async fn an_unknown_effect_never_runs_a_job_twice() {
    let stage = Stage::memory().await;
    let (connection, faults) = behind_faults(&stage.connection);
    faults.at(Call::Settle, 1, ANSWER_LOST);
    let runs = Arc::new(AtomicU32::new(0));
    let seen = runs.clone();
    let handler = move |_: Count| {
        seen.fetch_add(1, Ordering::SeqCst);
        async {}
    };
    let worker = Worker::builder(connection);
    let running = start(worker.queue("work", |q| q.handle(handler)).build().unwrap());
    stage.queue().enqueue(count(1)).await.unwrap();
    until("the repeat is answered", async || {
        faults.calls(Call::Settle) == 2
    })
    .await;
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!((report.acked, report.lease_lost), (1, 0));
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn finished_work_survives_an_outage_of_the_store() {
    for stage in [Stage::memory().await, Stage::sqlite().await] {
        let (connection, faults) = behind_faults(&stage.connection);
        let runs = Arc::new(AtomicU32::new(0));
        let seen = runs.clone();
        let handler = move |_: Count| {
            seen.fetch_add(1, Ordering::SeqCst);
            async {}
        };
        stage
            .queue()
            .enqueue_batch((0..64).map(count))
            .await
            .unwrap();
        faults.always(Call::Settle, AWAY);
        let worker = Worker::builder(connection);
        let worker = worker.idle_wait(Duration::from_millis(20));
        let running = start(worker.queue("work", |q| q.handle(handler)).build().unwrap());
        until("all ran", async || runs.load(Ordering::SeqCst) == 64).await;
        for call in [Call::Receive, Call::Extend] {
            faults.always(call, AWAY);
        }
        until("the outage is noticed", async || {
            running.handle.stats().receive_errors > 0
        })
        .await;
        assert_eq!(stage.stats().await.leased, 64);
        faults.clear();
        stage.until_empty().await;
        let report = running.stop().await;
        assert_eq!((report.acked, report.dropped), (64, 0));
        assert_eq!(runs.load(Ordering::SeqCst), 64, "nothing ran twice");
    }
}

#[tokio::test]
async fn a_settlement_is_given_up_with_its_lease_and_the_message_comes_back() {
    let stage = Stage::memory().await;
    let (connection, faults) = behind_faults(&stage.connection);
    faults.always(Call::Settle, AWAY);
    let worker = Worker::builder(connection);
    let worker = worker.lease(Duration::from_millis(300));
    let running = start(worker.queue("work", |q| q.handle(done)).build().unwrap());
    stage.queue().enqueue(count(1)).await.unwrap();
    until("it is given up", async || {
        running.handle.stats().done.dropped > 0
    })
    .await;
    faults.clear();
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!(report.acked, 1);
}

#[tokio::test]
async fn one_settlement_that_is_refused_does_not_hold_up_the_others() {
    let stage = Stage::memory().await;
    stage
        .queue()
        .enqueue_batch((0..10).map(count))
        .await
        .unwrap();
    let (connection, faults) = behind_faults(&stage.connection);
    faults.at(Call::Settle, 1, REFUSED);
    faults.at(Call::Settle, 2, REFUSED);
    let worker = Worker::builder(connection);
    let running = start(worker.queue("work", |q| q.handle(done)).build().unwrap());
    stage.until_empty().await;
    assert_eq!(running.stop().await.acked, 10);
}

#[tokio::test]
async fn settlements_gather_into_batches() {
    let stage = Stage::memory().await;
    stage
        .queue()
        .enqueue_batch((0..3200).map(count))
        .await
        .unwrap();
    let (connection, faults) = behind_faults(&stage.connection);
    let worker = Worker::builder(connection);
    let running = start(worker.queue("work", |q| q.handle(done)).build().unwrap());
    stage.until_empty().await;
    assert_eq!(running.stop().await.acked, 3200);
    let (settles, receives) = (faults.calls(Call::Settle), faults.calls(Call::Receive));
    assert!(settles <= 800, "{settles} settles for 3200 messages");
    assert!(receives <= 800, "{receives} receives for 3200 messages");
}

/// More than the store takes in one call.
#[tokio::test]
async fn jobs_that_end_at_once_are_settled_in_calls_that_the_store_takes() {
    let stage = Stage::memory().await;
    let jobs = 3 * u64::from(stage.connection.backend().queues.limits().batch_max.get());
    stage
        .queue()
        .enqueue_batch((0..jobs).map(count))
        .await
        .unwrap();
    let go = Arc::new(tokio::sync::Semaphore::new(0));
    let (started, waits) = (Arc::new(AtomicU32::new(0)), go.clone());
    let seen = started.clone();
    let handler = move |_: Count| {
        seen.fetch_add(1, Ordering::SeqCst);
        let waits = waits.clone();
        async move { drop(waits.acquire().await) }
    };
    let slots = usize::try_from(jobs).unwrap();
    let worker = stage.worker().concurrency(slots);
    let running = start(worker.queue("work", |q| q.handle(handler)).build().unwrap());
    until("all run", async || {
        u64::from(started.load(Ordering::SeqCst)) == jobs
    })
    .await;
    go.add_permits(slots);
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!(
        (report.acked, report.dropped, report.lease_lost),
        (jobs, 0, 0)
    );
}
