//! The end of a worker: drains, budgets, the second signal, dropped runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use longshore::prelude::*;
use tokio::sync::{Notify, Semaphore};

use crate::stage::{Count, Stage, count, start, until};

/// Jobs that wait until the test lets them end.
#[derive(Clone)]
struct Held {
    started: Arc<AtomicU32>,
    may_end: Arc<Semaphore>,
}

impl Held {
    fn new() -> Self {
        Self {
            started: Arc::default(),
            may_end: Arc::new(Semaphore::new(0)),
        }
    }

    fn started(&self) -> u32 {
        self.started.load(Ordering::SeqCst)
    }
}

async fn held(_: Count, State(jobs): State<Held>) {
    jobs.started.fetch_add(1, Ordering::SeqCst);
    jobs.may_end.acquire().await.unwrap().forget();
}

#[tokio::test]
async fn a_drain_ends_what_runs_and_gives_back_the_rest_uncharged() {
    for stage in [Stage::memory().await, Stage::sqlite().await] {
        stage
            .queue()
            .enqueue_batch((0..10).map(count))
            .await
            .unwrap();
        let jobs = Held::new();
        let worker = stage.worker().with_state(jobs.clone());
        // Ten are received, but of this kind only two run at a time.
        let worker = worker.queue("work", |q| {
            let q = q.handle_with(held, |h| h.concurrency(2));
            q.handle_raw(Some("other"), async |_| ())
        });
        let running = start(worker.build().unwrap());
        until("two run", async || jobs.started() == 2).await;
        until("ten are leased", async || stage.stats().await.leased == 10).await;
        running.handle.stop();
        until("eight are back", async || stage.stats().await.waiting == 8).await;
        jobs.may_end.add_permits(2);
        let report = running.stop().await;
        assert_eq!((report.acked, report.released), (2, 8));
        assert_eq!(jobs.started(), 2, "nothing new was started");
        let peek = stage.peek().await;
        assert!(
            peek.iter().all(|message| message.attempts == 0),
            "uncharged"
        );
    }
}

#[tokio::test]
async fn what_runs_past_the_budget_is_dropped_and_given_back_uncharged() {
    let stage = Stage::memory().await;
    stage.queue().enqueue(count(1)).await.unwrap();
    let jobs = Held::new();
    let worker = stage.worker().drain(Duration::from_millis(50));
    let worker = worker
        .with_state(jobs.clone())
        .queue("work", |q| q.handle(held));
    let running = start(worker.build().unwrap());
    until("it runs", async || jobs.started() == 1).await;
    let report = running.stop().await;
    assert_eq!((report.acked, report.released), (0, 1));
    assert_eq!(stage.peek().await[0].attempts, 0);
}

#[tokio::test]
async fn the_second_signal_leaves_what_runs_to_its_lease() {
    let stage = Stage::memory().await;
    stage.queue().enqueue(count(1)).await.unwrap();
    let jobs = Held::new();
    let worker = stage
        .worker()
        .with_state(jobs.clone())
        .queue("work", |q| q.handle(held));
    let running = start(worker.build().unwrap());
    until("it runs", async || jobs.started() == 1).await;
    running.handle.stop();
    running.handle.stop_now();
    // A drain would let it run on for 45 s.
    let ended = tokio::time::timeout(Duration::from_secs(30), running.ended());
    let report = ended.await.expect("it does not drain").unwrap();
    assert_eq!((report.acked, report.released), (0, 0));
    assert_eq!(
        stage.stats().await.leased,
        1,
        "nobody else gets it before the lease ends"
    );
}

#[tokio::test]
async fn an_embedded_run_ends_with_its_future_and_leaves_nothing_behind() {
    let stage = Stage::memory().await;
    let jobs = Held::new();
    let (end, worker) = (Notify::new(), stage.worker().with_state(jobs.clone()));
    let worker = worker.queue("work", |q| q.handle(held));
    stage.queue().enqueue(count(1)).await.unwrap();
    jobs.may_end.add_permits(1);
    let run = worker.run_until(end.notified());
    let (report, ()) = tokio::join!(run, async {
        stage.until_empty().await;
        end.notify_one();
    });
    assert_eq!(report.unwrap().acked, 1);
}

#[tokio::test]
async fn dropping_a_run_cancels_its_jobs() {
    let stage = Stage::memory().await;
    let jobs = Held::new();
    stage.queue().enqueue(count(1)).await.unwrap();
    let worker = stage
        .worker()
        .with_state(jobs.clone())
        .queue("work", |q| q.handle(held));
    let worker = worker.build().unwrap();
    let handle = worker.handle();
    let run = tokio::spawn(worker.run_until(std::future::pending()));
    until("it runs", async || jobs.started() == 1).await;
    run.abort();
    until("the job is gone", async || handle.running().is_empty()).await;
    assert_eq!(stage.stats().await.leased, 1);
}

#[tokio::test]
async fn finished_work_is_settled_before_the_run_ends() {
    let stage = Stage::memory().await;
    stage
        .queue()
        .enqueue_batch((0..500).map(count))
        .await
        .unwrap();
    let worker = stage
        .worker()
        .queue("work", |q| q.handle(async |_: Count| ()));
    let running = start(worker.build().unwrap());
    until("some are done", async || {
        running.handle.stats().received > 100
    })
    .await;
    let handle = running.handle.clone();
    let report = running.stop().await;
    assert_eq!(stage.stats().await.leased, 0);
    assert_eq!(report.acked + report.released, handle.stats().received);
    assert_eq!(stage.stats().await.live(), 500 - report.acked);
}
