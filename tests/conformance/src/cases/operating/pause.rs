//! Pause: receiving stops, everything else goes on.

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, messages, secs};
use crate::settling::retry_in;
use crate::stage::{LEASE, bodies};

cases! { "pause";
    13 a_paused_queue_hands_out_nothing,
    13 a_resumed_queue_goes_on,
    13 a_paused_queue_takes_messages_and_settlements,
    13 a_pause_tells_who_and_why_and_since_when,
    13 every_handle_sees_the_pause,
    13 a_pause_makes_the_queue,
    13 resume_says_whether_there_was_a_pause,
    13 a_paused_queue_expires_nothing,
    13 other_queues_go_on,
    13 ended_leases_wait_for_the_resume,
}

/// Neither new messages nor retries nor ended leases.
async fn a_paused_queue_hands_out_nothing(stage: Stage) {
    stage.put(&[message("a"), message("b").due_in(5)]).await;
    stage.pause().await;
    stage.nothing().await;
    stage.advance(secs(10));
    stage.nothing().await;
    assert_eq!(stage.counts().await, [2, 0, 0, 0]);
}

/// Order and attempts are as if nothing had been.
async fn a_resumed_queue_goes_on(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    stage.pause().await;
    stage.nothing().await;
    assert!(stage.resume().await);
    let taken = stage.take(9).await;
    assert_eq!(bodies(&taken), ["a", "b"]);
    assert!(taken.iter().all(|one| one.attempt == 1));
}

/// Producers and running jobs notice nothing.
async fn a_paused_queue_takes_messages_and_settlements(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let taken = stage.take(9).await;
    stage.pause().await;
    stage.put(&messages(["d"])).await;
    stage.ack(&taken[0]).await;
    stage.end(&taken[1], retry_in(9)).await;
    stage.bury(&taken[2]).await;
    assert_eq!(stage.counts().await, [1, 1, 0, 1]);
}

/// Author and reason are the caller's, the time is the store's.
async fn a_pause_tells_who_and_why_and_since_when(stage: Stage) {
    stage.advance(secs(99));
    stage.pause().await;
    let pause = stage.stats().await.paused.expect("it is paused");
    assert_eq!(
        (pause.author.as_str(), pause.reason.as_str()),
        ("operator", "a test")
    );
    assert_eq!(pause.since, stage.now());
    stage.resume().await;
    assert_eq!(stage.stats().await.paused, None);
}

/// The flag lies in the store.
async fn every_handle_sees_the_pause(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let other = stage.subject.reopen().await;
    stage.pause().await;
    assert!(stage.take_at(&other, 1).await.is_empty());
    assert!(other.admin.resume(&stage.queue).await.expect("resume"));
    stage.take_one().await;
}

/// A queue can be paused before its first message.
async fn a_pause_makes_the_queue(stage: Stage) {
    stage.pause().await;
    assert!(stage.stats().await.paused.is_some());
    stage.put(&messages(["a"])).await;
    stage.nothing().await;
}

/// Resuming what was not paused is no error.
async fn resume_says_whether_there_was_a_pause(stage: Stage) {
    assert!(!stage.resume().await);
    assert!(stage.stats_of(&stage.queue).await.is_none());
    stage.put(&messages(["a"])).await;
    assert!(!stage.resume().await);
    stage.pause().await;
    stage.pause().await;
    assert!(stage.resume().await);
    assert!(!stage.resume().await);
}

/// Expiry belongs to handing out.
async fn a_paused_queue_expires_nothing(stage: Stage) {
    stage.put(&[message("a").expires_in(5)]).await;
    stage.pause().await;
    stage.advance(secs(5));
    stage.nothing().await;
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    stage.resume().await;
    stage.nothing().await;
    assert_eq!(stage.counts().await, [0, 0, 0, 1]);
}

/// A pause is of one queue.
async fn other_queues_go_on(mut stage: Stage) {
    stage.pause().await;
    stage.queue = crate::stage::name("other");
    stage.put(&messages(["a"])).await;
    stage.take_one().await;
}

/// A crash in a paused queue is made good after the resume.
async fn ended_leases_wait_for_the_resume(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.take_one().await;
    stage.pause().await;
    stage.advance(LEASE);
    stage.nothing().await;
    stage.resume().await;
    assert_eq!(stage.take_one().await.attempt, 2);
}
