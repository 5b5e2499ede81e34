//! What receive hands out, and for how long.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use longshore_core::{MessageState, Receive, StoreErrorKind};

use crate::Stage;
use crate::case::cases;
use crate::draft::{MILLI, just_before, message, messages, secs};
use crate::stage::{LEASE, bodies, count, name, receipts, refused};

cases! { "receive";
    7 first_deliveries_are_in_enqueue_order,
    7 what_one_call_stored_is_handed_out_in_its_order,
    12 no_more_than_batch_max_are_handed_out,
    12 a_batch_max_over_the_limit_is_no_error,
    15 an_empty_queue_answers_nothing,
    13 receiving_from_a_queue_that_does_not_exist_makes_none,
    1 a_leased_message_is_not_handed_out_again,
    1 a_lease_that_ended_brings_the_message_back,
    6 the_lease_ends_when_it_says,
    3 every_delivery_has_a_receipt_of_its_own,
    1 two_handles_never_share_a_message,
    12 a_lease_of_zero_is_refused,
    15 waiting_for_nothing_ends_after_wait_max,
    1 an_ended_lease_comes_before_later_messages,
    13 queues_are_apart,
    1 a_lease_outlives_the_handle_that_took_it,
}

/// Within a lane messages are first handed out in the order they were enqueued.
async fn first_deliveries_are_in_enqueue_order(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    stage.advance(MILLI);
    stage.put(&messages(["d", "e"])).await;
    assert_eq!(bodies(&stage.take(2).await), ["a", "b"]);
    assert_eq!(bodies(&stage.take(9).await), ["c", "d", "e"]);
}

/// The messages of one call keep their order also where a queue as a whole has none
/// (`limits().ordered`).
async fn what_one_call_stored_is_handed_out_in_its_order(stage: Stage) {
    let numbers: Vec<_> = (0..40).map(|number| format!("{number:02}")).collect();
    let batch: Vec<_> = numbers.iter().map(message).collect();
    stage.put(&batch).await;
    let mut taken = bodies(&stage.take(7).await);
    taken.extend(bodies(&stage.take(99).await));
    assert_eq!(taken, numbers);
}

/// A receive never answers more than it was asked for.
async fn no_more_than_batch_max_are_handed_out(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let received = stage.receive(2, LEASE).await;
    assert!((1..=2).contains(&received.deliveries.len()));
    let leased = received.deliveries.len() as u64;
    assert_eq!(stage.counts().await, [3 - leased, 0, leased, 0]);
}

/// Asking for more than a store gives at a time is answered with fewer.
async fn a_batch_max_over_the_limit_is_no_error(stage: Stage) {
    let max = stage.store.queues.limits().batch_max.get() as usize;
    let batch: Vec<_> = (0..max).map(|_| message("a")).collect();
    stage.put(&batch).await;
    stage.put(&messages(["one more"])).await;
    let received = stage.receive(u32::MAX, LEASE).await;
    assert!((1..=max).contains(&received.deliveries.len()));
}

/// A queue that was emptied answers an empty batch, not an error.
async fn an_empty_queue_answers_nothing(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    let received = stage.receive(5, LEASE).await;
    assert!(received.deliveries.is_empty());
    assert_eq!(received.set_aside, 0);
}

/// Looking does not make a queue.
async fn receiving_from_a_queue_that_does_not_exist_makes_none(stage: Stage) {
    stage.nothing().await;
    assert!(stage.stats_of(&stage.queue).await.is_none());
}

/// While a lease runs nobody else gets the message.
async fn a_leased_message_is_not_handed_out_again(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.take_one().await;
    stage.advance(just_before(LEASE));
    stage.nothing().await;
}

/// A worker that vanished loses nothing: the message comes back when the lease ends.
async fn a_lease_that_ended_brings_the_message_back(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let first = stage.take_one().await;
    stage.advance(LEASE);
    assert_eq!(
        stage.counts().await,
        [1, 0, 0, 0],
        "it waits to be handed out"
    );
    let second = stage.take_one().await;
    assert_eq!(second.message, first.message);
    assert_eq!((first.attempt, second.attempt), (1, 2));
}

/// `leased_until` is now + lease by the store's clock, and operators see it.
async fn the_lease_ends_when_it_says(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let received = stage.receive(1, secs(7)).await;
    let until = stage.now().plus(secs(7));
    assert_eq!(received.deliveries[0].leased_until, until);
    let found = stage.found(received.deliveries[0].message.id).await;
    assert_eq!(found.state, MessageState::Leased { until });
}

/// No two deliveries have the same receipt, not even of the same message.
async fn every_delivery_has_a_receipt_of_its_own(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let mut seen = HashSet::new();
    for _ in 0..4 {
        let taken = stage.take(9).await;
        assert_eq!(taken.len(), 3);
        seen.extend(receipts(&taken));
        stage.advance(LEASE);
    }
    assert_eq!(seen.len(), 12);
}

/// Two processes that receive from one queue get different messages.
async fn two_handles_never_share_a_message(stage: Stage) {
    stage.put(&messages(["a", "b", "c", "d"])).await;
    let other = stage.subject.reopen().await;
    let mut taken = stage.take(2).await;
    taken.extend(stage.take_at(&other, 9).await);
    let mut found = bodies(&taken);
    found.sort();
    assert_eq!(found, ["a", "b", "c", "d"]);
}

/// A lease that ends at once is a mistake.
async fn a_lease_of_zero_is_refused(stage: Stage) {
    let request = Receive {
        batch_max: count(1),
        lease: Duration::ZERO,
        wait_max: Duration::ZERO,
    };
    let error = refused(stage.store.queues.receive(&stage.queue, request).await);
    assert_eq!(error.kind(), StoreErrorKind::InvalidInput);
}

/// A receive that finds nothing waits as long as it may, then answers empty.
async fn waiting_for_nothing_ends_after_wait_max(stage: Stage) {
    stage.put(&[message("taken")]).await;
    stage.take_one().await;
    let wait_max = Duration::from_millis(60);
    let request = Receive {
        batch_max: count(1),
        lease: LEASE,
        wait_max,
    };
    let began = Instant::now();
    let received = stage.store.queues.receive(&stage.queue, request).await;
    assert!(received.expect("receive").deliveries.is_empty());
    assert!(began.elapsed() >= wait_max, "{:?}", began.elapsed());
}

/// What comes back from a vanished worker is older, so it goes first.
async fn an_ended_lease_comes_before_later_messages(stage: Stage) {
    stage.put(&messages(["old"])).await;
    stage.take_one().await;
    stage.advance(secs(1));
    stage.put(&messages(["new"])).await;
    stage.advance(LEASE);
    assert_eq!(bodies(&stage.take(9).await), ["old", "new"]);
}

/// A message of one queue is never handed out from another.
async fn queues_are_apart(mut stage: Stage) {
    stage.put(&messages(["a"])).await;
    let first = std::mem::replace(&mut stage.queue, name("other"));
    stage.nothing().await;
    stage.put(&messages(["b"])).await;
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
    stage.queue = first;
    assert_eq!(bodies(&stage.take(9).await), ["a"]);
}

/// A process that ends keeps its leases until they end: nobody guesses that it is gone.
async fn a_lease_outlives_the_handle_that_took_it(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let other = stage.subject.reopen().await;
    let taken = stage.take_at(&other, 1).await;
    drop(other);
    stage.advance(just_before(LEASE));
    stage.nothing().await;
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
    stage.advance(MILLI);
    let again = stage.take_one().await;
    assert_eq!((again.attempt, again.message.id), (2, taken[0].message.id));
}
