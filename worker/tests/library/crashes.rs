//! Deliveries that vanish, messages that seem to kill their worker, and their neighbours.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use longshore::core::{DeadReason, QueueName, Receive};
use longshore::prelude::*;

use crate::spans::Lines;
use crate::stage::{Count, Stage, count, start, until};

impl Stage {
    /// Receives and crashes, as far as the store can tell: nobody settles, and the lease ends.
    async fn crash_with(&self, batch_max: u32) -> usize {
        let count = self.receive(batch_max).await;
        self.clock.as_ref().unwrap().advance(Duration::from_secs(2));
        count
    }

    async fn receive(&self, batch_max: u32) -> usize {
        let request = Receive {
            batch_max: NonZeroU32::new(batch_max).unwrap(),
            lease: Duration::from_secs(1),
            wait_max: Duration::ZERO,
        };
        let store = &self.connection.backend().queues;
        let name = QueueName::new("work").unwrap();
        let received = store.receive(&name, request).await.unwrap();
        received.deliveries.len()
    }
}

#[tokio::test]
async fn what_vanishes_every_time_is_dead_lettered_without_being_run_again() {
    let stage = Stage::manual().await;
    stage.queue().enqueue(count(1)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(stage.crash_with(1).await, 1);
    }
    let ran = Arc::new(AtomicBool::new(false));
    let seen = ran.clone();
    let policy = Policy::redeliveries(2);
    let worker = stage.worker().policy(policy).queue("work", |q| {
        q.handle_raw(None, move |_| {
            seen.store(true, Ordering::SeqCst);
            async {}
        })
    });
    let running = start(worker.build().unwrap());
    until("it is dead", async || stage.stats().await.dead == 1).await;
    running.stop().await;
    assert!(
        !ran.load(Ordering::SeqCst),
        "three vanished of three allowed"
    );
    let dead = stage.dead().await;
    assert_eq!(dead[0].dead().unwrap().reason, DeadReason::Vanished);
    let record = dead[0].history.last().unwrap();
    assert_eq!(record.record.label.as_str(), "vanished");
}

#[tokio::test]
async fn what_is_taken_over_is_said_and_nothing_else() {
    let (lines, _recorded) = Lines::record();
    let stage = Stage::manual().await;
    stage
        .queue()
        .enqueue_batch((0..2).map(count))
        .await
        .unwrap();
    assert_eq!(stage.crash_with(2).await, 2);
    let worker = stage
        .worker()
        .queue("work", |q| q.handle(async |_: Count| ()));
    let running = start(worker.build().unwrap());
    stage.until_empty().await;
    let said = || lines.events("taken over from a worker");
    let count_of = |one: &serde_json::Value| one["messages"].as_u64();
    assert_eq!(
        said().iter().filter_map(count_of).sum::<u64>(),
        2,
        "{:?}",
        said()
    );
    let before = said().len();
    stage.queue().enqueue(count(2)).await.unwrap();
    stage.until_empty().await;
    running.stop().await;
    assert_eq!(said().len(), before, "it was new");
}

#[tokio::test]
async fn a_suspect_runs_alone_and_its_neighbours_go_on_after_it() {
    let stage = Stage::manual().await;
    let queue = stage.queue();
    queue.enqueue(count(0)).await.unwrap();
    stage.crash_with(1).await;
    stage.crash_with(1).await;
    queue.enqueue_batch((1..=40).map(count)).await.unwrap();

    let beside = Arc::new(AtomicU32::new(0));
    let most_beside_suspect = Arc::new(AtomicU32::new(0));
    let attempts = Arc::new(Mutex::new(BTreeSet::new()));
    let (counting, most, seen) = (
        beside.clone(),
        most_beside_suspect.clone(),
        attempts.clone(),
    );
    let handler = move |job: Count, Attempt(attempt): Attempt| {
        let (counting, most, seen) = (counting.clone(), most.clone(), seen.clone());
        async move {
            let running = counting.fetch_add(1, Ordering::SeqCst) + 1;
            for _ in 0..50 {
                tokio::task::yield_now().await;
                if job.number == 0 {
                    let now = counting.load(Ordering::SeqCst);
                    most.fetch_max(now.max(running), Ordering::SeqCst);
                }
            }
            counting.fetch_sub(1, Ordering::SeqCst);
            seen.lock().unwrap().insert((job.number, attempt));
        }
    };
    let worker = stage.worker().queue("work", |q| q.handle(handler));
    let running = start(worker.build().unwrap());
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!((report.acked, report.dead), (41, 0));
    assert_eq!(
        most_beside_suspect.load(Ordering::SeqCst),
        1,
        "nobody ran beside it"
    );
    let attempts = attempts.lock().unwrap();
    let charged: Vec<_> = attempts.iter().filter(|(n, a)| *n > 0 && *a > 1).collect();
    assert!(charged.is_empty(), "no neighbour was charged: {charged:?}");
    assert!(attempts.contains(&(0, 3)));
}

#[tokio::test]
async fn a_suspect_waits_for_other_queues_of_the_worker_too() {
    let stage = Stage::manual().await;
    stage.queue().enqueue(count(0)).await.unwrap();
    stage.crash_with(1).await;
    stage.crash_with(1).await;
    let other = stage.connection.queue("other").unwrap();
    other.enqueue(count(7)).await.unwrap();

    let gate = Arc::new(tokio::sync::Notify::new());
    let order = Arc::new(Mutex::new(Vec::new()));
    let (log, opened) = (order.clone(), gate.clone());
    let slow = move |job: Count| {
        let (log, opened) = (log.clone(), opened.clone());
        async move {
            log.lock().unwrap().push(format!("{} starts", job.number));
            opened.notified().await;
            log.lock().unwrap().push(format!("{} ends", job.number));
        }
    };
    let log = order.clone();
    let suspect = move |job: Count| {
        let log = log.clone();
        async move { log.lock().unwrap().push(format!("{} runs", job.number)) }
    };
    let worker = stage.worker().queue("other", |q| q.handle(slow));
    let running = start(worker.queue("work", |q| q.handle(suspect)).build().unwrap());
    until("the long one starts or the suspect ran", async || {
        !order.lock().unwrap().is_empty()
    })
    .await;
    gate.notify_one();
    stage.until_empty().await;
    until("the other queue is empty", async || {
        running.handle.stats().done.acked == 2
    })
    .await;
    running.stop().await;
    let order = order.lock().unwrap().join(", ");
    let alone = ["0 runs, 7 starts, 7 ends", "7 starts, 7 ends, 0 runs"];
    assert!(alone.contains(&order.as_str()), "{order}");
}

#[tokio::test]
async fn what_waits_for_its_handler_makes_way_for_a_suspect() {
    let stage = Stage::manual().await;
    let queue = stage.queue();
    queue.enqueue_raw("killer", "x").await.unwrap();
    stage.crash_with(1).await;
    stage.crash_with(1).await;
    // The suspect is leased while the others are received.
    assert_eq!(stage.receive(1).await, 1);
    queue.enqueue_batch((0..5).map(count)).await.unwrap();

    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let (opened, order) = (gate.clone(), Arc::new(Mutex::new(Vec::new())));
    let (log, alone) = (order.clone(), order.clone());
    let slow = move |job: Count| {
        let (log, opened) = (log.clone(), opened.clone());
        async move {
            opened.acquire().await.unwrap().forget();
            log.lock().unwrap().push(job.number.to_string());
        }
    };
    let worker = stage.worker().queue("work", |q| {
        q.handle_with(slow, |h| h.concurrency(1))
            .handle_raw(Some("killer"), move |_| {
                alone.lock().unwrap().push("killer".to_owned());
                async {}
            })
    });
    let running = start(worker.build().unwrap());
    until("one runs and four wait", async || {
        running.handle.stats().running == 5
    })
    .await;
    stage
        .clock
        .as_ref()
        .unwrap()
        .advance(Duration::from_secs(2));
    until("four have made way", async || {
        running.handle.stats().done.released == 4
    })
    .await;
    gate.add_permits(5);
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!(report.acked, 6);
    let order = order.lock().unwrap();
    assert_eq!(order[1], "killer", "after the one that ran: {order:?}");
}
