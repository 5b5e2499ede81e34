//! How deliveries end, and what a receipt is worth.

use longshore_core::{
    Delivery, Disposition, Due, MessageState, Receipt, Settled, Settlement, StoreErrorKind,
};

use crate::Stage;
use crate::case::cases;
use crate::draft::{MILLI, just_before, message, messages, secs};
use crate::settling::{dead_letter, record, release, retry_in};
use crate::stage::{LEASE, bodies, ids, refused};

cases! { "settle";
    1 ack_ends_a_message,
    1 an_acked_message_never_returns,
    4 each_fate_of_a_mixed_batch_has_its_own_effect,
    3 a_receipt_twice_in_a_batch_counts_once,
    13 settling_in_a_queue_that_does_not_exist_makes_none,
    3 another_handle_settles_with_the_receipt,
    12 a_batch_over_the_limit_is_refused_and_settles_nothing,
    6 a_retry_comes_back_when_it_is_due,
    6 a_retry_at_a_point_in_time_comes_back_then,
    6 a_retry_without_delay_is_waiting,
    7 a_due_retry_is_not_behind_later_messages,
    1 what_is_settled_is_settled_for_every_handle,
}

/// An acked message is gone: not live, not dead.
async fn ack_ends_a_message(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
    assert!(stage.find(taken.message.id).await.is_none());
}

/// No time brings an acked message back.
async fn an_acked_message_never_returns(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    stage.advance(LEASE);
    stage.nothing().await;
    stage.advance(secs(86_400));
    stage.nothing().await;
}

/// Fates may be mixed; outcomes are in the order of the batch.
async fn each_fate_of_a_mixed_batch_has_its_own_effect(stage: Stage) {
    let batch = messages(["ack", "retry", "release", "dead", "stale"]);
    stage.put(&batch).await;
    let taken = stage.take(9).await;
    let fates = [Disposition::Ack, retry_in(60), release(), dead_letter()];
    let mut items: Vec<_> = taken.iter().zip(fates).map(item).collect();
    items.insert(2, item((&stage_stale(&stage, &taken[4]).await, release())));
    let outcomes = stage.store.queues.settle(&stage.queue, &items).await;
    let mut expected = vec![Settled::Applied; 5];
    expected[2] = Settled::LeaseLost;
    assert_eq!(outcomes.expect("settle"), expected);
    assert_eq!(stage.counts().await, [1, 1, 1, 1]);
    let id = ids(&batch);
    assert!(stage.find(id[0]).await.is_none());
    assert_eq!(stage.found(id[1]).await.state, MessageState::Delayed);
    assert_eq!(stage.found(id[2]).await.state, MessageState::Waiting);
    assert!(stage.found(id[3]).await.dead().is_some());
}

/// Ends a delivery and takes the message again, so that the receipt is stale.
async fn stage_stale(stage: &Stage, delivery: &Delivery) -> Delivery {
    stage.release(delivery).await;
    let again = stage.take_one().await;
    assert_eq!(again.message.id, delivery.message.id);
    delivery.clone()
}

fn item((delivery, disposition): (&Delivery, Disposition)) -> Settlement {
    Settlement {
        receipt: delivery.receipt.clone(),
        disposition,
    }
}

/// The first of two settlements with one receipt counts.
async fn a_receipt_twice_in_a_batch_counts_once(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let items = [item((&taken, retry_in(5))), item((&taken, dead_letter()))];
    let outcomes = stage.store.queues.settle(&stage.queue, &items).await;
    let expected = [Settled::Applied, Settled::LeaseLost];
    assert_eq!(outcomes.expect("settle"), expected);
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
}

/// A receipt for a queue nobody knows is stale.
async fn settling_in_a_queue_that_does_not_exist_makes_none(stage: Stage) {
    let receipt = Receipt::from_bytes(vec![1; 24]);
    let outcome = stage.settle_at(&stage.store, &receipt, release()).await;
    assert_eq!(outcome, Settled::LeaseLost);
    assert!(stage.stats_of(&stage.queue).await.is_none());
}

/// A receipt is good in any process: each process that has it may settle.
async fn another_handle_settles_with_the_receipt(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let other = stage.subject.reopen().await;
    let outcome = stage.settle_at(&other, &taken.receipt, retry_in(5)).await;
    assert_eq!(outcome, Settled::Applied);
    stage.advance(secs(5));
    assert_eq!(stage.take_one().await.recorded_through, 1);
}

/// A batch that is refused had no effect.
async fn a_batch_over_the_limit_is_refused_and_settles_nothing(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let max = stage.store.queues.limits().batch_max.get() as usize;
    let batch = vec![item((&taken, Disposition::Ack)); max + 1];
    let answer = stage.store.queues.settle(&stage.queue, &batch).await;
    assert_eq!(refused(answer).kind(), StoreErrorKind::TooLarge);
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
}

/// A retry counts as delayed until its due time and is handed out then.
async fn a_retry_comes_back_when_it_is_due(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.retry(&taken, 10).await;
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
    let found = stage.found(taken.message.id).await;
    assert_eq!(found.due_at, stage.now().plus(secs(10)));
    stage.advance(just_before(secs(10)));
    stage.nothing().await;
    stage.advance(MILLI);
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    assert_eq!(stage.take_one().await.attempt, 2);
}

/// A due time may be a point in time.
async fn a_retry_at_a_point_in_time_comes_back_then(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let at = stage.now().plus(secs(3600));
    let retry = Disposition::Retry {
        due: Due::At(at),
        record: record("x"),
        checkpoint: None,
    };
    stage.end(&taken, retry).await;
    assert_eq!(stage.found(taken.message.id).await.due_at, at);
    stage.advance(secs(3599));
    stage.nothing().await;
    stage.advance(secs(1));
    stage.take_one().await;
}

/// A retry that is due at once is waiting and can be received at once.
async fn a_retry_without_delay_is_waiting(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.retry(&taken, 0).await;
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    assert_eq!(stage.take_one().await.attempt, 2);
}

/// What was enqueued after a retry fell due does not overtake it.
async fn a_due_retry_is_not_behind_later_messages(stage: Stage) {
    stage.put(&[message("old")]).await;
    let taken = stage.take_one().await;
    stage.retry(&taken, 5).await;
    stage.advance(secs(6));
    stage.put(&messages(["new", "newer"])).await;
    assert_eq!(bodies(&stage.take(1).await), ["old"]);
}

/// All handles see the same end of a delivery.
async fn what_is_settled_is_settled_for_every_handle(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let other = stage.subject.reopen().await;
    let taken = stage.take(2).await;
    stage.ack(&taken[0]).await;
    stage.release(&taken[1]).await;
    assert_eq!(bodies(&stage.take_at(&other, 9).await), ["b"]);
}
