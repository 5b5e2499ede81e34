//! Leases: kept while a job runs, lost, and the job that is cancelled then.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use longshore::core::{QueueName, Receive};
use longshore::prelude::*;
use longshore::{BuildError, RunError};
use longshore_conformance::Call;
use tokio::sync::Notify;

use crate::faults::{AWAY, behind_faults};
use crate::stage::{Count, Stage, count, start, until};

const LEASE: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_job_of_several_leases_runs_once() {
    let stage = Stage::memory().await;
    stage.queue().enqueue(count(1)).await.unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let seen = runs.clone();
    let handler = move |_: Count, lease: Lease| {
        let seen = seen.clone();
        async move {
            seen.fetch_add(1, Ordering::SeqCst);
            let first = lease.until();
            until("three leases have passed", async || {
                lease.until() >= first.plus(LEASE * 3)
            })
            .await;
        }
    };
    let worker = stage.worker().lease(LEASE);
    let running = start(worker.queue("work", |q| q.handle(handler)).build().unwrap());
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!(
        (runs.load(Ordering::SeqCst), report.acked, report.lease_lost),
        (1, 1, 0)
    );
}

/// The whole process stands still, as one that is stopped does, while another takes over what it
/// had fetched: nothing of that is started any more.
#[tokio::test]
async fn a_delivery_whose_lease_ended_before_its_start_is_not_run() {
    let stage = Stage::memory().await;
    for number in 1..=2 {
        stage.queue().enqueue(count(number)).await.unwrap();
    }
    let runs = Arc::new(AtomicU32::new(0));
    let (seen, connection) = (runs.clone(), stage.connection.clone());
    let handler = move |_: Count| {
        seen.fetch_add(1, Ordering::SeqCst);
        let connection = connection.clone();
        // Blocks the only thread of this runtime until all leases ended and others run.
        std::thread::spawn(move || take_over(&connection, 2))
            .join()
            .unwrap();
        async {}
    };
    let worker = stage.worker().lease(LEASE).concurrency(2);
    let running = start(worker.queue("work", |q| q.handle(handler)).build().unwrap());
    until("both are known to be lost", async || {
        running.handle.stats().done.lease_lost == 2
    })
    .await;
    let report = running.stop().await;
    assert_eq!((runs.load(Ordering::SeqCst), report.acked), (1, 0));
}

/// Receives so many messages in a runtime of its own, as another process would, and keeps them.
fn take_over(connection: &Connection, messages: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let request = Receive {
        batch_max: NonZeroU32::new(9).unwrap(),
        lease: Duration::from_secs(3600),
        wait_max: Duration::from_secs(60),
    };
    let queue = QueueName::new("work").unwrap();
    let mut taken = 0;
    while taken < messages {
        let store = &connection.backend().queues;
        let received = runtime.block_on(store.receive(&queue, request)).unwrap();
        taken += received.deliveries.len();
    }
}

/// Tells when a future is dropped before its end.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_job_whose_lease_is_lost_is_cancelled_and_settles_nothing() {
    let stage = Stage::manual().await;
    let queue = stage.queue();
    queue.enqueue(count(1)).await.unwrap();
    let (started, cancelled) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let (tell, dropped) = (started.clone(), cancelled.clone());
    let handler = move |_: Count| {
        let (tell, dropped) = (tell.clone(), Dropped(dropped.clone()));
        async move {
            let _dropped = dropped;
            tell.notify_one();
            std::future::pending::<()>().await;
        }
    };
    let worker = stage.worker().lease(LEASE).concurrency(1);
    let running = start(worker.queue("work", |q| q.handle(handler)).build().unwrap());
    started.notified().await;
    // The store's clock passes the lease, as it does for a process that was stopped, and another
    // worker takes the message.
    stage.clock.as_ref().unwrap().advance(LEASE * 2);
    let request = Receive {
        batch_max: NonZeroU32::MIN,
        lease: Duration::from_secs(60),
        wait_max: Duration::ZERO,
    };
    let store = &stage.connection.backend().queues;
    let name = QueueName::new("work").unwrap();
    let taken = store.receive(&name, request).await.unwrap();
    assert_eq!(taken.deliveries[0].attempt, 2);
    until("the job is cancelled", async || {
        cancelled.load(Ordering::SeqCst)
    })
    .await;
    let report = running.stop().await;
    assert_eq!((report.lease_lost, report.acked, report.retried), (1, 0, 0));
    assert_eq!(
        stage.stats().await.leased,
        1,
        "the other worker still has it"
    );
}

#[tokio::test]
async fn a_lease_that_cannot_be_extended_until_its_end_is_lost() {
    let stage = Stage::memory().await;
    stage.queue().enqueue(count(1)).await.unwrap();
    let (connection, faults) = behind_faults(&stage.connection);
    let cancelled = Arc::new(AtomicBool::new(false));
    let dropped = cancelled.clone();
    let handler = move |_: Count, Attempt(attempt): Attempt| {
        let dropped = Dropped(dropped.clone());
        async move {
            if attempt == 1 {
                let _dropped = dropped;
                std::future::pending::<()>().await;
            }
        }
    };
    let worker = Worker::builder(connection).lease(LEASE);
    let running = start(worker.queue("work", |q| q.handle(handler)).build().unwrap());
    until("it runs", async || !running.handle.running().is_empty()).await;
    faults.always(Call::Extend, AWAY);
    until("it is cancelled", async || cancelled.load(Ordering::SeqCst)).await;
    faults.clear();
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!(
        (report.lease_lost, report.acked),
        (1, 1),
        "the next delivery did it"
    );
}

#[tokio::test]
async fn a_lease_that_cannot_be_kept_is_refused_with_a_sentence() {
    let stage = Stage::memory().await;
    let worker = stage.worker().lease(Duration::from_millis(50));
    let refused = worker
        .queue("work", |q| q.handle(async |_: Count| ()))
        .build();
    let error = refused.unwrap_err();
    assert!(matches!(error, BuildError::LeaseTooShort { .. }));
    assert!(error.to_string().contains("make it at least"), "{error}");
}

#[tokio::test]
async fn a_store_too_slow_for_the_lease_is_refused_at_start() {
    let stage = Stage::memory().await;
    let (connection, faults) = behind_faults(&stage.connection);
    let gates = [1, 2, 3].map(|nth| faults.hold_after(Call::Extend, nth));
    tokio::spawn(async move {
        for gate in gates {
            gate.reached().await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            gate.open();
        }
    });
    let worker = Worker::builder(connection).lease(LEASE);
    let worker = worker.queue("work", |q| q.handle(async |_: Count| ()));
    let refused = worker.run_until(std::future::pending()).await.unwrap_err();
    let is_lease = matches!(&refused, RunError::Build(BuildError::LeaseTooShort { .. }));
    assert!(is_lease, "{refused}");
}
