//! No task of a worker ends unseen.

use longshore::RunError;
use longshore::prelude::*;
use longshore_conformance::{Call, Fault};

use crate::faults::behind_faults;
use crate::stage::{Count, Stage, count, until};

async fn done(_: Count) {}

/// Runs a worker whose store panics in one call, and answers how it ended.
async fn with_panic_in(call: Call) -> (Stage, String) {
    let stage = Stage::memory().await;
    let (connection, faults) = behind_faults(&stage.connection);
    faults.at(call, 1, Fault::Panic);
    let worker = Worker::builder(connection)
        .lease(Duration::from_millis(600))
        .idle_wait(Duration::from_millis(20));
    let worker = worker.queue("work", |q| q.handle(done)).build().unwrap();
    stage.queue().enqueue(count(1)).await.unwrap();
    let ended = worker.run_until(std::future::pending()).await;
    let error = ended.expect_err("the worker cannot go on");
    assert!(matches!(error, RunError::Broken { .. }), "{error}");
    (stage, error.to_string())
}

#[tokio::test]
async fn a_settler_that_panics_ends_the_worker_and_the_message_comes_back() {
    let (stage, error) = with_panic_in(Call::Settle).await;
    assert!(error.contains("settles"), "{error}");
    until("the lease has ended", async || {
        stage.stats().await.leased == 0
    })
    .await;
    let worker = stage.worker().queue("work", |q| q.handle(done));
    let running = crate::stage::start(worker.build().unwrap());
    stage.until_empty().await;
    assert_eq!(running.stop().await.acked, 1);
}

#[tokio::test]
async fn a_fetcher_or_an_announcer_that_panics_ends_the_worker() {
    for (call, part) in [(Call::Receive, "receives"), (Call::Announce, "announces")] {
        let (_, error) = with_panic_in(call).await;
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_keeper_of_leases_that_panics_ends_the_worker() {
    let stage = Stage::memory().await;
    let (connection, faults) = behind_faults(&stage.connection);
    // The first one is made before anything is received.
    faults.at(Call::Extend, 2, Fault::Panic);
    let worker = Worker::builder(connection)
        .lease(Duration::from_millis(600))
        .drain(Duration::from_millis(100));
    let never = async |_: Count| std::future::pending::<()>().await;
    let worker = worker.queue("work", |q| q.handle(never)).build().unwrap();
    stage.queue().enqueue(count(1)).await.unwrap();
    let error = worker.run_until(std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("keeps leases"), "{error}");
}
