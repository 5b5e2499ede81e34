//! Redrive: dead letters live again.

use longshore_core::{Changed, MessageState, SettingsChange};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, given, message, messages, secs};
use crate::settling::retry_in;
use crate::stage::{bodies, ids};

cases! { "redrive";
    6 a_redriven_message_keeps_its_id_and_history,
    2 a_redriven_message_starts_at_attempt_one,
    6 a_redriven_message_is_ready_at_once,
    4 a_repeated_redrive_changes_nothing,
    6 redrive_ignores_the_dedup_window,
    12 redrive_is_never_refused_for_depth,
    9 outcomes_are_one_for_each_id_in_order,
    2 a_redriven_message_may_die_again_with_one_history,
    4 the_id_window_runs_from_the_last_ack,
    14 redrive_leaves_live_messages_alone,
}

async fn one_dead(stage: &Stage) -> longshore_core::MessageId {
    stage.put(&[message("a")]).await;
    let first = stage.take_one().await;
    stage.end(&first, retry_in(0)).await;
    let second = stage.take_one().await;
    stage.bury(&second).await;
    second.message.id
}

/// Same message, same records.
async fn a_redriven_message_keeps_its_id_and_history(stage: Stage) {
    let id = one_dead(&stage).await;
    let dead = stage.found(id).await;
    stage.redrive(id).await;
    let live = stage.found(id).await;
    assert_eq!(live.history, dead.history);
    assert_eq!(live.message(), dead.message());
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}

/// It has its full number of attempts again, and nothing about it looks vanished.
async fn a_redriven_message_starts_at_attempt_one(stage: Stage) {
    let id = one_dead(&stage).await;
    stage.redrive(id).await;
    let taken = stage.take_one().await;
    assert_eq!((taken.attempt, taken.recorded_through), (1, 0));
    assert_eq!(taken.vanished(), 0);
}

/// Whatever delay it had before, it is due now.
async fn a_redriven_message_is_ready_at_once(stage: Stage) {
    let id = one_dead(&stage).await;
    stage.advance(secs(77));
    stage.redrive(id).await;
    let live = stage.found(id).await;
    assert_eq!(
        (live.state, live.due_at),
        (MessageState::Waiting, stage.now())
    );
    assert_eq!(stage.take_one().await.message.id, id);
}

/// The second call finds no dead letter; the message is delivered once.
async fn a_repeated_redrive_changes_nothing(stage: Stage) {
    let id = one_dead(&stage).await;
    stage.redrive(id).await;
    assert_eq!(stage.try_redrive(id).await, Changed::NotFound);
    let taken = stage.take(9).await;
    assert_eq!(bodies(&taken), ["a"]);
    assert_eq!(stage.try_redrive(id).await, Changed::NotFound);
    stage.ack(&taken[0]).await;
    stage.nothing().await;
}

/// A later message with the same key does not stand in the way.
async fn redrive_ignores_the_dedup_window(stage: Stage) {
    let first = given("first").dedup("k", 10);
    stage.put(std::slice::from_ref(&first)).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    stage.advance(secs(10));
    stage.put(&[given("second").dedup("k", 1000)]).await;
    stage.redrive(first.id).await;
    let mut both = bodies(&stage.take(9).await);
    both.sort();
    assert_eq!(both, ["first", "second"]);
}

/// A full queue takes its own dead back.
async fn redrive_is_never_refused_for_depth(stage: Stage) {
    let id = one_dead(&stage).await;
    stage
        .configure(SettingsChange {
            depth_max: Some(1),
            ..SettingsChange::default()
        })
        .await;
    stage.put(&messages(["b"])).await;
    stage.redrive(id).await;
    assert_eq!(stage.counts().await, [2, 0, 0, 0]);
}

/// Known and unknown ids may be mixed, and named twice.
async fn outcomes_are_one_for_each_id_in_order(stage: Stage) {
    let dead = one_dead(&stage).await;
    let live = messages(["b"]);
    stage.put(&live).await;
    let asked = [ids(&live)[0], dead, dead, message("none").id];
    let answer = stage.store.admin.redrive(&stage.queue, &asked).await;
    let expected = [
        Changed::NotFound,
        Changed::Applied,
        Changed::NotFound,
        Changed::NotFound,
    ];
    assert_eq!(answer.expect("redrive"), expected);
}

/// Its second life adds to the records of the first.
async fn a_redriven_message_may_die_again_with_one_history(stage: Stage) {
    let id = one_dead(&stage).await;
    stage.redrive(id).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    let dead = stage.found(id).await;
    let attempts: Vec<_> = dead.history.records().iter().map(|r| r.attempt).collect();
    assert_eq!(attempts, [1, 2, 1]);
    assert_eq!((dead.attempts, dead.recorded_through), (1, 1));
}

/// A redriven given id is known while it lives and for its window after the ack.
async fn the_id_window_runs_from_the_last_ack(stage: Stage) {
    let new = given("a");
    let first = new.id;
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    stage.redrive(first).await;
    let taken = stage.take_one().await;
    stage.advance(secs(20));
    stage.ack(&taken).await;
    stage.advance(secs(599));
    let batch = [new];
    assert_eq!(stage.enqueue(&batch).await, [stage.repeat_of(first)]);
    stage.nothing().await;
    stage.advance(secs(1));
    stage.put(&batch).await;
    stage.take_one().await;
}

/// There is nothing to redrive about a message that waits or is delayed.
async fn redrive_leaves_live_messages_alone(stage: Stage) {
    let new = message("a").due_in(10);
    stage.put(std::slice::from_ref(&new)).await;
    assert_eq!(stage.try_redrive(new.id).await, Changed::NotFound);
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
}
