//! What a receipt is worth: until the next delivery, and once.

use longshore_core::{Disposition, Receipt, Settled};

use crate::Stage;
use crate::case::cases;
use crate::draft::{message, messages, secs};
use crate::settling::{dead_letter, parking, release, release_in, retry_in};
use crate::stage::{LEASE, bodies, name};

cases! { "settle";
    3 a_stale_ack_changes_nothing,
    3 a_stale_retry_changes_nothing,
    3 a_stale_release_changes_nothing,
    3 a_stale_dead_letter_changes_nothing,
    3 an_ack_after_the_lease_end_counts_until_redelivery,
    3 a_retry_after_the_lease_end_counts_until_redelivery,
    3 a_release_after_the_lease_end_counts_until_redelivery,
    3 a_dead_letter_after_the_lease_end_counts_until_redelivery,
    4 a_repeated_ack_changes_nothing,
    4 a_repeated_retry_changes_nothing,
    4 a_repeated_release_changes_nothing,
    4 a_repeated_dead_letter_changes_nothing,
    3 a_receipt_of_another_queue_is_stale,
    3 garbage_is_a_stale_receipt,
    3 a_receipt_is_stale_after_the_message_was_redriven,
}

/// An ack with the receipt of an earlier delivery leaves the current one alone.
async fn a_stale_ack_changes_nothing(stage: Stage) {
    stale(&stage, Disposition::Ack).await;
}

/// A retry with the receipt of an earlier delivery leaves the current one alone.
async fn a_stale_retry_changes_nothing(stage: Stage) {
    stale(&stage, retry_in(5)).await;
}

/// A release with the receipt of an earlier delivery leaves the current one alone.
async fn a_stale_release_changes_nothing(stage: Stage) {
    stale(&stage, release_in(5)).await;
}

/// A dead-letter with the receipt of an earlier delivery leaves the current one alone.
async fn a_stale_dead_letter_changes_nothing(stage: Stage) {
    stale(&stage, parking()).await;
}

async fn stale(stage: &Stage, disposition: Disposition) {
    stage.put(&[message("a")]).await;
    let first = stage.take_one().await;
    stage.advance(LEASE);
    let second = stage.take_one().await;
    let before = stage.found(second.message.id).await;
    assert_eq!(stage.settle(&first, disposition).await, Settled::LeaseLost);
    assert_eq!(stage.found(second.message.id).await, before);
    stage.ack(&second).await;
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
}

/// A receipt is good until the next delivery, so finished work is not done twice.
async fn an_ack_after_the_lease_end_counts_until_redelivery(stage: Stage) {
    late(&stage, Disposition::Ack).await;
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
    stage.nothing().await;
}

/// A failure reported late is a failure, recorded and charged once.
async fn a_retry_after_the_lease_end_counts_until_redelivery(stage: Stage) {
    late(&stage, retry_in(5)).await;
    stage.nothing().await;
    stage.advance(secs(5));
    let next = stage.take_one().await;
    assert_eq!((next.attempt, next.recorded_through), (2, 1));
}

/// A late release gives the attempt back all the same.
async fn a_release_after_the_lease_end_counts_until_redelivery(stage: Stage) {
    late(&stage, release()).await;
    assert_eq!(stage.take_one().await.attempt, 1);
}

/// A late dead-letter is one.
async fn a_dead_letter_after_the_lease_end_counts_until_redelivery(stage: Stage) {
    late(&stage, dead_letter()).await;
    assert_eq!(stage.counts().await, [0, 0, 0, 1]);
    stage.nothing().await;
}

async fn late(stage: &Stage, disposition: Disposition) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.advance(LEASE * 3);
    stage.end(&taken, disposition).await;
}

/// A second ack is harmless, whatever it answers.
async fn a_repeated_ack_changes_nothing(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    stage.settle(&taken, Disposition::Ack).await;
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
}

/// A retry that was answered is done: its repeat adds no record and moves no due time.
async fn a_repeated_retry_changes_nothing(stage: Stage) {
    repeated(&stage, retry_in(10)).await;
    stage.advance(secs(8));
    let next = stage.take_one().await;
    assert_eq!((next.attempt, next.recorded_through), (2, 1));
}

/// A release that was answered gives back one attempt, not two.
async fn a_repeated_release_changes_nothing(stage: Stage) {
    stage.put(&[message("a")]).await;
    stage.take_one().await;
    stage.advance(LEASE);
    let second = stage.take_one().await;
    stage.end(&second, release_in(10)).await;
    stage.advance(secs(2));
    assert_eq!(
        stage.settle(&second, release_in(10)).await,
        Settled::LeaseLost
    );
    stage.advance(secs(8));
    assert_eq!(stage.take_one().await.attempt, 2);
}

/// A message dies once, with one record.
async fn a_repeated_dead_letter_changes_nothing(stage: Stage) {
    repeated(&stage, dead_letter()).await;
    let dead = stage.dead().await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].history.records().len(), 1);
}

/// Settles, lets two seconds pass, settles again.
async fn repeated(stage: &Stage, disposition: Disposition) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.end(&taken, disposition.clone()).await;
    let before = stage.found(taken.message.id).await;
    stage.advance(secs(2));
    assert_eq!(stage.settle(&taken, disposition).await, Settled::LeaseLost);
    assert_eq!(stage.found(taken.message.id).await, before);
}

/// A receipt is worth something in its own queue only.
async fn a_receipt_of_another_queue_is_stale(mut stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let own = std::mem::replace(&mut stage.queue, name("other"));
    stage.put(&[message("b")]).await;
    assert_eq!(
        stage.settle(&taken, Disposition::Ack).await,
        Settled::LeaseLost
    );
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    stage.queue = own;
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
    stage.ack(&taken).await;
}

/// Bytes that no store made are no receipt, and no error of the call.
async fn garbage_is_a_stale_receipt(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let mut cut = taken.receipt.as_bytes().to_vec();
    cut.pop();
    let mut longer = taken.receipt.as_bytes().to_vec();
    longer.push(0);
    for bytes in [vec![], vec![0], vec![0xff; 255], cut, longer] {
        let receipt = Receipt::from_bytes(bytes);
        let outcome = stage.settle_at(&stage.store, &receipt, Disposition::Ack);
        assert_eq!(outcome.await, Settled::LeaseLost);
    }
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
}

/// A redrive starts attempts again, but no old receipt comes to life by it.
async fn a_receipt_is_stale_after_the_message_was_redriven(stage: Stage) {
    stage.put(&[message("a")]).await;
    let first = stage.take_one().await;
    stage.bury(&first).await;
    stage.redrive(first.message.id).await;
    assert_eq!(
        stage.settle(&first, dead_letter()).await,
        Settled::LeaseLost
    );
    let second = stage.take_one().await;
    assert_eq!(second.attempt, first.attempt);
    assert_eq!(
        stage.settle(&first, dead_letter()).await,
        Settled::LeaseLost
    );
    stage.ack(&second).await;
}
