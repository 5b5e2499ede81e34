//! What an attempt is: one delivery, counted in the step that hands it out.

use longshore_core::{Delivery, Disposition};

use crate::Stage;
use crate::case::cases;
use crate::draft::{message, messages, secs};
use crate::settling::{release_in, retry_in};
use crate::stage::LEASE;

cases! { "attempts";
    2 the_first_delivery_is_attempt_one,
    2 seven_attempts_are_seven_deliveries,
    2 a_crash_charges_the_attempt,
    2 a_crash_charges_all_that_was_leased_once,
    2 a_release_gives_the_attempt_back,
    2 releases_in_a_row_never_count_below_zero,
    2 a_retry_keeps_the_charge,
    2 no_store_ends_a_message_for_its_attempts,
    2 the_attempt_is_counted_before_anybody_settles,
    2 two_vanished_deliveries_make_a_suspect,
    2 a_recorded_failure_is_not_a_vanished_delivery,
    2 a_release_is_no_vanished_delivery,
    2 two_killers_leave_their_neighbour_below_the_limit,
    2 extending_charges_nothing,
}

/// A message that was never handed out before is at attempt 1, with nothing recorded.
async fn the_first_delivery_is_attempt_one(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    assert_eq!((taken.attempt, taken.recorded_through), (1, 0));
    assert_eq!(taken.vanished(), 0);
}

/// The boundary of the default policy: a first delivery and six redeliveries are attempts 1 to 7.
async fn seven_attempts_are_seven_deliveries(stage: Stage) {
    stage.put(&[message("a")]).await;
    for attempt in 1..=7 {
        let taken = stage.take_one().await;
        assert_eq!(taken.attempt, attempt);
        assert_eq!(taken.recorded_through, attempt - 1);
        if attempt < 7 {
            stage.retry(&taken, 1).await;
            stage.advance(secs(1));
        } else {
            stage.bury(&taken).await;
        }
    }
    let dead = stage.dead().await;
    assert_eq!(dead[0].attempts, 7);
    assert_eq!(dead[0].history.records().len(), 7);
    stage.nothing().await;
}

/// A delivery that ended with its lease counts like any other.
async fn a_crash_charges_the_attempt(stage: Stage) {
    stage.put(&[message("a")]).await;
    for attempt in 1..=3 {
        assert_eq!(stage.take_one().await.attempt, attempt);
        stage.advance(LEASE);
    }
}

/// Every message that a vanished process had is charged one attempt; others are not.
async fn a_crash_charges_all_that_was_leased_once(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    assert_eq!(stage.take(2).await.len(), 2);
    stage.advance(LEASE);
    let taken = stage.take(9).await;
    let attempts: Vec<_> = taken.iter().map(attempt_by_body).collect();
    let mut sorted = attempts.clone();
    sorted.sort();
    assert_eq!(sorted, [("a".into(), 2), ("b".into(), 2), ("c".into(), 1)]);
}

fn attempt_by_body(delivery: &Delivery) -> (String, u32) {
    let body = String::from_utf8_lossy(&delivery.message.body).into_owned();
    (body, delivery.attempt)
}

/// A message that was released is handed out again with the same attempt.
async fn a_release_gives_the_attempt_back(stage: Stage) {
    stage.put(&[message("a")]).await;
    let first = stage.take_one().await;
    stage.release(&first).await;
    assert_eq!(stage.found(first.message.id).await.attempts, 0);
    let second = stage.take_one().await;
    assert_eq!(second.attempt, 1);
    stage.end(&second, release_in(5)).await;
    stage.advance(secs(5));
    assert_eq!(stage.take_one().await.attempt, 1);
}

/// However often it is released, the next delivery is attempt 1.
async fn releases_in_a_row_never_count_below_zero(stage: Stage) {
    stage.put(&[message("a")]).await;
    for _ in 0..5 {
        let taken = stage.take_one().await;
        assert_eq!(taken.attempt, 1);
        stage.release(&taken).await;
    }
    let found = stage
        .store
        .admin
        .peek(&stage.queue, None, crate::stage::count(1));
    assert_eq!(found.await.expect("peek").items[0].attempts, 0);
}

/// A failure counts.
async fn a_retry_keeps_the_charge(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.retry(&taken, 0).await;
    assert_eq!(stage.found(taken.message.id).await.attempts, 1);
    assert_eq!(stage.take_one().await.attempt, 2);
}

/// The limit is the worker's: a store hands out attempt 50 as readily as attempt 1.
async fn no_store_ends_a_message_for_its_attempts(stage: Stage) {
    stage.put(&[message("a")]).await;
    for attempt in 1..=50 {
        let taken = stage.take_one().await;
        assert_eq!(taken.attempt, attempt);
        stage.retry(&taken, 0).await;
    }
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}

/// Counting is part of handing out: another process sees it while the message is leased.
async fn the_attempt_is_counted_before_anybody_settles(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let other = stage.subject.reopen().await;
    let found = other.admin.find(&stage.queue, taken.message.id).await;
    let longshore_core::Found::Message(found) = found.expect("find") else {
        panic!("the message is there");
    };
    assert_eq!(found.attempts, 1);
}

/// Two deliveries in a row without a settle are visible to the third.
async fn two_vanished_deliveries_make_a_suspect(stage: Stage) {
    stage.put(&[message("a")]).await;
    for vanished in 0..=2 {
        assert_eq!(stage.take_one().await.vanished(), vanished);
        stage.advance(LEASE);
    }
}

/// A record ends the row of vanished deliveries.
async fn a_recorded_failure_is_not_a_vanished_delivery(stage: Stage) {
    stage.put(&[message("a")]).await;
    stage.take_one().await;
    stage.advance(LEASE);
    let second = stage.take_one().await;
    assert_eq!(second.vanished(), 1);
    stage.end(&second, retry_in(0)).await;
    let third = stage.take_one().await;
    assert_eq!((third.attempt, third.vanished()), (3, 0));
    stage.advance(LEASE);
    assert_eq!(stage.take_one().await.vanished(), 1);
}

/// A message that was given back did not vanish.
async fn a_release_is_no_vanished_delivery(stage: Stage) {
    stage.put(&[message("a")]).await;
    for _ in 0..3 {
        let taken = stage.take_one().await;
        stage.release(&taken).await;
    }
    assert_eq!(stage.take_one().await.vanished(), 0);
}

/// Messages that were leased beside a killer twice are still far from seven attempts, and a
/// release of what was not started gives the third delivery back.
async fn two_killers_leave_their_neighbour_below_the_limit(stage: Stage) {
    stage.put(&messages(["killer", "neighbour"])).await;
    for _ in 0..2 {
        assert_eq!(stage.take(9).await.len(), 2);
        stage.advance(LEASE);
    }
    let third = stage.take(9).await;
    assert!(third.iter().all(|one| one.vanished() == 2));
    stage.release(&third[1]).await;
    let alone = stage.take_one().await;
    assert_eq!((alone.attempt, alone.vanished()), (3, 2));
    stage.end(&alone, Disposition::Ack).await;
}

/// A long job is one attempt.
async fn extending_charges_nothing(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    for _ in 0..5 {
        stage.advance(LEASE / 2);
        let receipts = [taken.receipt.clone()];
        let queues = &stage.store.queues;
        let extended = queues.extend(&stage.queue, &receipts, LEASE).await;
        extended.expect("extend");
    }
    assert_eq!(stage.found(taken.message.id).await.attempts, 1);
    stage.ack(&taken).await;
}
