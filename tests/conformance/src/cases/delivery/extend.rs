//! Extending leases.

use std::time::Duration;

use longshore_core::{Delivery, LeaseUnit, MessageState, Settled, StoreErrorKind};

use crate::Stage;
use crate::case::cases;
use crate::draft::{just_before, message, messages, secs};
use crate::stage::{LEASE, name, receipts, refused};

cases! { "extend";
    6 extend_sets_the_end_to_now_plus_the_lease,
    6 extend_may_shorten_a_lease,
    3 extend_after_the_end_counts_until_redelivery,
    3 a_stale_extend_moves_nothing,
    3 an_extend_after_the_settle_is_stale,
    4 outcomes_are_one_for_each_receipt_in_order,
    3 a_receipt_of_another_queue_is_stale,
    12 a_lease_of_zero_is_refused,
    3 another_handle_extends_with_the_receipt,
    13 a_paused_queue_extends,
}

async fn extend(stage: &Stage, taken: &[Delivery], lease: Duration) -> Vec<Settled> {
    let receipts = receipts(taken);
    let outcomes = stage.store.queues.extend(&stage.queue, &receipts, lease);
    outcomes.await.expect("extend")
}

/// The new end counts from now, not from the old end.
async fn extend_sets_the_end_to_now_plus_the_lease(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = [stage.take_one().await];
    stage.advance(secs(20));
    assert_eq!(extend(&stage, &taken, secs(25)).await, [Settled::Applied]);
    let until = stage.now().plus(secs(25));
    let found = stage.found(taken[0].message.id).await;
    assert_eq!(found.state, MessageState::Leased { until });
    stage.advance(just_before(secs(25)));
    stage.nothing().await;
    stage.advance(crate::draft::MILLI);
    assert_eq!(stage.take_one().await.attempt, 2);
}

/// An extension may bring the end nearer.
async fn extend_may_shorten_a_lease(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = [stage.take_one().await];
    assert_eq!(extend(&stage, &taken, secs(2)).await, [Settled::Applied]);
    stage.advance(secs(2));
    stage.take_one().await;
}

/// As long as nobody else has it, a worker that was late keeps its message.
async fn extend_after_the_end_counts_until_redelivery(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = [stage.take_one().await];
    stage.advance(LEASE * 2);
    assert_eq!(extend(&stage, &taken, LEASE).await, [Settled::Applied]);
    stage.nothing().await;
    stage.ack(&taken[0]).await;
}

/// The holder of an old receipt cannot keep the new holder's lease alive, nor end it.
async fn a_stale_extend_moves_nothing(stage: Stage) {
    stage.put(&[message("a")]).await;
    let first = [stage.take_one().await];
    stage.advance(LEASE);
    let second = stage.take_one().await;
    assert_eq!(
        extend(&stage, &first, LEASE * 100).await,
        [Settled::LeaseLost]
    );
    let until = second.leased_until;
    let found = stage.found(second.message.id).await;
    assert_eq!(found.state, MessageState::Leased { until });
    stage.advance(LEASE);
    assert_eq!(stage.take_one().await.attempt, 3);
}

/// A delivery that was settled has no lease.
async fn an_extend_after_the_settle_is_stale(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let taken = stage.take(9).await;
    stage.ack(&taken[0]).await;
    stage.retry(&taken[1], 5).await;
    stage.bury(&taken[2]).await;
    assert_eq!(extend(&stage, &taken, LEASE).await, [Settled::LeaseLost; 3]);
    assert_eq!(stage.counts().await, [0, 1, 0, 1]);
}

/// Stale receipts in a batch do not hurt the good ones.
async fn outcomes_are_one_for_each_receipt_in_order(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let taken = stage.take(9).await;
    stage.ack(&taken[1]).await;
    stage.advance(secs(20));
    let outcomes = extend(&stage, &taken, LEASE).await;
    let expected = [Settled::Applied, Settled::LeaseLost, Settled::Applied];
    assert_eq!(outcomes, expected);
    stage.advance(secs(20));
    stage.nothing().await;
    assert!(extend(&stage, &[], LEASE).await.is_empty());
}

/// A receipt is worth something in its own queue only.
async fn a_receipt_of_another_queue_is_stale(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = [stage.take_one().await];
    let receipts = receipts(&taken);
    let queues = &stage.store.queues;
    let outcomes = queues.extend(&name("other"), &receipts, LEASE * 9).await;
    assert_eq!(outcomes.expect("extend"), [Settled::LeaseLost]);
    assert!(stage.stats_of(&name("other")).await.is_none());
    stage.advance(LEASE);
    stage.take_one().await;
}

/// To end a lease at once there is release.
async fn a_lease_of_zero_is_refused(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = [stage.take_one().await];
    let queues = &stage.store.queues;
    let receipts = receipts(&taken);
    let answer = queues.extend(&stage.queue, &receipts, Duration::ZERO);
    assert_eq!(refused(answer.await).kind(), StoreErrorKind::InvalidInput);
    stage.nothing().await;
}

/// Any process that has the receipt may extend; one receipt extends its own message only.
async fn another_handle_extends_with_the_receipt(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let taken = stage.take(9).await;
    let other = stage.subject.reopen().await;
    let receipts = receipts(&taken[..1]);
    let outcomes = other
        .queues
        .extend(&stage.queue, &receipts, LEASE * 2)
        .await;
    assert_eq!(outcomes.expect("extend"), [Settled::Applied]);
    stage.advance(LEASE);
    let again = stage.take(9).await;
    let each = stage.store.queues.limits().lease_unit == LeaseUnit::Message;
    assert_eq!(again.len(), usize::from(each));
}

/// Pause stops receiving only: what is in work stays in work.
async fn a_paused_queue_extends(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = [stage.take_one().await];
    stage.pause().await;
    assert_eq!(extend(&stage, &taken, LEASE).await, [Settled::Applied]);
}
