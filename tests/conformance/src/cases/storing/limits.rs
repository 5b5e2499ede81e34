//! Limits of a queue, and what is never refused for them.

use longshore_core::{
    Adopted, DepthBound, Effect, Enqueued, SettingsChange, StoreErrorKind, StoredMessage,
};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, given, message, messages};
use crate::settling::{release, retry_in};
use crate::stage::refused;

cases! { "limits";
    12 a_full_queue_refuses_the_whole_call,
    12 a_queue_may_be_filled_to_its_limit,
    12 leased_and_delayed_messages_count_for_the_depth,
    12 dead_letters_do_not_count_for_the_depth,
    12 duplicates_do_not_count_for_the_depth,
    12 a_full_queue_takes_retries_and_releases,
    12 a_full_queue_adopts,
    12 an_ack_makes_room,
    12 a_queue_may_set_a_smaller_body_limit,
    12 a_body_limit_beyond_the_stores_is_refused,
    12 the_limits_are_sound,
}

async fn depth_max(stage: &Stage, max: u64) {
    stage
        .configure(SettingsChange {
            depth_max: Some(max),
            ..SettingsChange::default()
        })
        .await;
}

fn exact(stage: &Stage) -> bool {
    stage.store.queues.limits().depth == DepthBound::Exact
}

/// Overloaded, nothing stored, and a hint when to come back.
async fn a_full_queue_refuses_the_whole_call(stage: Stage) {
    depth_max(&stage, 3).await;
    stage.put(&messages(["a", "b"])).await;
    if !exact(&stage) {
        return;
    }
    let error = refused(stage.try_enqueue(&messages(["c", "d"])).await);
    assert_eq!(error.kind(), StoreErrorKind::Overloaded);
    assert_eq!(error.effect(), Effect::NotApplied);
    assert!(error.is_retryable() && error.retry_hint().is_some());
    assert_eq!(stage.counts().await, [2, 0, 0, 0]);
}

/// The limit itself is allowed.
async fn a_queue_may_be_filled_to_its_limit(stage: Stage) {
    depth_max(&stage, 3).await;
    stage.put(&messages(["a", "b", "c"])).await;
    if exact(&stage) {
        refused(stage.try_enqueue(&messages(["d"])).await);
    }
    assert_eq!(stage.counts().await, [3, 0, 0, 0]);
}

/// What is in work or waits for its due time is still the queue's load.
async fn leased_and_delayed_messages_count_for_the_depth(stage: Stage) {
    depth_max(&stage, 2).await;
    stage.put(&[message("a"), message("b").due_in(10)]).await;
    stage.take_one().await;
    if exact(&stage) {
        refused(stage.try_enqueue(&messages(["c"])).await);
    }
}

/// Nobody has to clean up the dead before work goes on.
async fn dead_letters_do_not_count_for_the_depth(stage: Stage) {
    depth_max(&stage, 1).await;
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    stage.put(&messages(["b"])).await;
}

/// A repeat adds nothing, so it fits.
async fn duplicates_do_not_count_for_the_depth(stage: Stage) {
    depth_max(&stage, 2).await;
    let first = given("a");
    stage.put(std::slice::from_ref(&first)).await;
    let batch = [first.clone(), given("b")];
    let expected = [stage.repeat_of(first.id), Enqueued::Stored];
    assert_eq!(stage.enqueue(&batch).await, expected);
    let again = stage.enqueue(std::slice::from_ref(&first)).await;
    assert_eq!(again, [expected[0]]);
}

/// Work that is there already is never turned away.
async fn a_full_queue_takes_retries_and_releases(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let taken = stage.take(2).await;
    depth_max(&stage, 1).await;
    stage.end(&taken[0], retry_in(0)).await;
    stage.end(&taken[1], release()).await;
    assert_eq!(stage.counts().await, [2, 0, 0, 0]);
}

/// A move never fails half-way for want of room.
async fn a_full_queue_adopts(stage: Stage) {
    depth_max(&stage, 1).await;
    stage.put(&messages(["a"])).await;
    let moved = StoredMessage::waiting(message("b").stored_at(stage.now(), None));
    let adopted = stage.store.admin.adopt(&stage.queue, &[moved]).await;
    assert_eq!(adopted.expect("adopt"), [Adopted::Stored]);
    assert_eq!(stage.counts().await, [2, 0, 0, 0]);
}

/// Room is there as soon as the ack has answered.
async fn an_ack_makes_room(stage: Stage) {
    depth_max(&stage, 1).await;
    for body in ["a", "b", "c"] {
        stage.put(&messages([body])).await;
        let taken = stage.take_one().await;
        stage.ack(&taken).await;
    }
}

/// `body_max` of the queue is obeyed by every process, and names the limit.
async fn a_queue_may_set_a_smaller_body_limit(stage: Stage) {
    stage
        .configure(SettingsChange {
            body_max: Some(8),
            ..SettingsChange::default()
        })
        .await;
    let other = stage.subject.reopen().await;
    let batch = [message([0; 9])];
    let error = refused(other.queues.enqueue(&stage.queue, &batch).await);
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    assert!(error.to_string().contains('8'), "{error}");
    stage.put(&[message([0; 8])]).await;
}

/// A limit that the store cannot keep is refused when it is set.
async fn a_body_limit_beyond_the_stores_is_refused(stage: Stage) {
    let most = stage.store.queues.limits().body_bytes_max as u64;
    let change = SettingsChange {
        body_max: Some(most + 1),
        ..SettingsChange::default()
    };
    let answer = stage.store.admin.configure(&stage.queue, &change).await;
    assert_eq!(refused(answer).kind(), StoreErrorKind::InvalidInput);
    assert!(stage.stats_of(&stage.queue).await.is_none());
}

/// The declared facts of a store fit together.
async fn the_limits_are_sound(stage: Stage) {
    let limits = stage.store.queues.limits();
    assert!(limits.body_bytes_default <= limits.body_bytes_max);
    assert!(limits.body_bytes_default >= 256 * 1024);
    assert!(limits.batch_max.get() >= 100);
    assert_eq!(limits, stage.subject.reopen().await.queues.limits());
}
