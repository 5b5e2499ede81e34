//! What wakes a receive that waits.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use longshore_core::{Backend, Delivery, QueueName, Receive};
use tokio::task::JoinHandle;

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, messages, secs};
use crate::stage::{LEASE, bodies, count};

cases! { "wake";
    15 an_enqueue_wakes_a_receive,
    15 an_enqueue_by_another_handle_wakes_a_receive,
    15 a_due_time_wakes_a_receive,
    15 the_end_of_a_lease_wakes_a_receive,
    15 a_release_wakes_a_receive,
    15 a_resume_wakes_a_receive,
    15 an_ack_of_the_head_wakes_a_receive,
    15 a_redrive_wakes_a_receive,
    15 a_reschedule_wakes_a_receive,
    15 an_enqueue_wakes_as_many_as_it_feeds,
}

/// A wait that is longer than any of these cases may take.
const LONG: Duration = Duration::from_secs(50);

/// Starts a receive of one, and lets it begin to wait.
async fn waiting(at: &Backend, queue: &QueueName) -> JoinHandle<Vec<Delivery>> {
    let (at, queue) = (at.clone(), queue.clone());
    let request = Receive {
        batch_max: count(1),
        lease: LEASE,
        wait_max: LONG,
    };
    let mut receive = Box::pin(async move {
        let received = at.queues.receive(&queue, request).await;
        received.expect("receive").deliveries
    });
    // It has begun when it was polled. Whether it waits already or is about to does not matter:
    // it must wake in both cases.
    let begun = poll_fn(|context| Poll::Ready(receive.as_mut().poll(context))).await;
    assert!(begun.is_pending(), "it does not wait");
    tokio::spawn(receive)
}

async fn woken(task: JoinHandle<Vec<Delivery>>) -> Vec<String> {
    bodies(&task.await.expect("the receive ends"))
}

/// An idle worker gets the first message at once.
async fn an_enqueue_wakes_a_receive(stage: Stage) {
    let task = waiting(&stage.store, &stage.queue).await;
    stage.put(&messages(["a"])).await;
    assert_eq!(woken(task).await, ["a"]);
}

/// Also from another process.
async fn an_enqueue_by_another_handle_wakes_a_receive(stage: Stage) {
    stage.put(&messages(["first"])).await;
    stage.take_one().await;
    let other = stage.subject.reopen().await;
    let task = waiting(&stage.store, &stage.queue).await;
    let stored = other.queues.enqueue(&stage.queue, &messages(["a"])).await;
    stored.expect("enqueue");
    assert_eq!(woken(task).await, ["a"]);
}

/// Nobody polls for due times.
async fn a_due_time_wakes_a_receive(stage: Stage) {
    stage.put(&[message("late").due_in(1000)]).await;
    let task = waiting(&stage.store, &stage.queue).await;
    stage.advance(secs(1000));
    assert_eq!(woken(task).await, ["late"]);
}

/// The message of a worker that vanished is fetched when its lease ends.
async fn the_end_of_a_lease_wakes_a_receive(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.take_one().await;
    let task = waiting(&stage.store, &stage.queue).await;
    stage.advance(LEASE);
    assert_eq!(woken(task).await, ["a"]);
}

/// Work that is given back reaches peers at once.
async fn a_release_wakes_a_receive(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    let task = waiting(&stage.store, &stage.queue).await;
    stage.release(&taken).await;
    assert_eq!(woken(task).await, ["a"]);
}

/// Workers of a paused queue wait for the resume.
async fn a_resume_wakes_a_receive(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.pause().await;
    let task = waiting(&stage.store, &stage.queue).await;
    assert!(stage.resume().await);
    assert_eq!(woken(task).await, ["a"]);
}

/// The successor in a group is not left to the next poll.
async fn an_ack_of_the_head_wakes_a_receive(stage: Stage) {
    stage
        .put(&[message("a").group("g"), message("b").group("g")])
        .await;
    let head = stage.take_one().await;
    let task = waiting(&stage.store, &stage.queue).await;
    stage.ack(&head).await;
    assert_eq!(woken(task).await, ["b"]);
}

/// A redriven message is fetched at once.
async fn a_redrive_wakes_a_receive(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    let task = waiting(&stage.store, &stage.queue).await;
    stage.redrive(taken.message.id).await;
    assert_eq!(woken(task).await, ["a"]);
}

/// So is one that was brought forward.
async fn a_reschedule_wakes_a_receive(stage: Stage) {
    let new = message("a").due_in(1000);
    stage.put(std::slice::from_ref(&new)).await;
    let task = waiting(&stage.store, &stage.queue).await;
    stage.reschedule(new.id, longshore_core::Due::NOW).await;
    assert_eq!(woken(task).await, ["a"]);
}

/// Three messages for three that wait: nobody is forgotten.
async fn an_enqueue_wakes_as_many_as_it_feeds(stage: Stage) {
    let other = stage.subject.reopen().await;
    let mut tasks = Vec::new();
    for at in [&stage.store, &other, &stage.store] {
        tasks.push(waiting(at, &stage.queue).await);
    }
    stage.put(&messages(["a", "b", "c"])).await;
    let mut all = Vec::new();
    for task in tasks {
        all.extend(woken(task).await);
    }
    all.sort();
    assert_eq!(all, ["a", "b", "c"]);
}
