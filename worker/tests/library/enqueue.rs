//! Enqueueing: options, ids, batches and repeated calls.

use longshore::core::{Effect, StoreErrorKind};
use longshore::prelude::*;
use longshore::{EnqueueError, ItemOutcome, NewMessage};
use longshore_conformance::Call;

use crate::faults::{ANSWER_LOST, AWAY, REFUSED, behind_faults};
use crate::stage::{Stage, count};

#[tokio::test]
async fn a_given_id_and_a_dedup_key_are_recognised() {
    let stage = Stage::memory().await;
    let queue = stage.queue();
    let id = uuid::Uuid::from_u128(7);
    let first = queue.enqueue(count(1)).id(id).await.unwrap();
    assert!(!first.duplicate);
    assert!(queue.enqueue(count(1)).id(id).await.unwrap().duplicate);
    let hour = Duration::from_secs(3600);
    let kept = queue.enqueue(count(2)).dedup("k", hour).await.unwrap();
    let again = queue.enqueue(count(3)).dedup("k", hour).await.unwrap();
    assert_eq!((again.id, again.duplicate), (kept.id, true));
    assert_eq!(stage.stats().await.live(), 2);
}

#[tokio::test]
async fn bad_names_are_told_when_awaited_and_store_nothing() {
    let stage = Stage::memory().await;
    let queue = stage.queue();
    let refused = queue.enqueue(count(1)).group("a\nb").await.unwrap_err();
    assert!(matches!(refused, EnqueueError::Name(_)), "{refused}");
    assert_eq!(refused.effect(), Effect::NotApplied);
    assert!(queue.enqueue_raw("bad kind", "x").await.is_err());
    assert_eq!(stage.stats().await.live(), 0);
}

#[tokio::test]
async fn a_batch_is_split_at_the_stores_limit_and_keeps_its_order() {
    let stage = Stage::memory().await;
    let queue = stage.queue();
    let max = stage.connection.backend().queues.limits().batch_max.get();
    let total = u64::from(max) * 2 + 5;
    let outcome = queue.enqueue_batch((0..total).map(count)).await.unwrap();
    assert_eq!(outcome.stored() as u64, total);
    let ids = outcome.require_all().unwrap();
    assert!(ids.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert_eq!(stage.stats().await.live(), total);
}

#[tokio::test]
async fn one_bad_message_does_not_take_its_neighbours_along() {
    let stage = Stage::memory().await;
    let queue = stage.queue();
    let body_max = stage.connection.backend().queues.limits().body_bytes_max;
    let message = |bytes: usize| -> NewMessage {
        let request = queue.enqueue_raw("blob", vec![b'x'; bytes]);
        request.into_message().unwrap()
    };
    let batch = vec![message(1), message(2), message(body_max + 1), message(4)];
    let outcome = queue.enqueue_messages(batch).await.unwrap();
    assert_eq!((outcome.stored(), outcome.missing()), (3, 1));
    let ItemOutcome::Failed(error) = &outcome.items[2].outcome else {
        panic!("the third is over the limit: {outcome:?}");
    };
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    let refused = outcome.require_all().unwrap_err();
    assert_eq!((refused.missing, refused.total), (1, 4));
}

#[tokio::test]
async fn a_full_queue_takes_what_fits_and_the_rest_is_not_tried() {
    let stage = Stage::memory().await;
    let queue = stage.queue();
    let change = longshore::core::SettingsChange {
        author: "test".into(),
        depth_max: Some(5),
        ..Default::default()
    };
    let admin = &stage.connection.backend().admin;
    admin.configure(queue.name(), &change).await.unwrap();
    let outcome = queue.enqueue_batch((0..8).map(count)).await.unwrap();
    assert_eq!(outcome.stored(), 5);
    let error = outcome.first_error().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Overloaded);
    assert!(matches!(outcome.items[7].outcome, ItemOutcome::NotTried));
}

#[tokio::test]
async fn a_call_with_unknown_effect_is_repeated_with_the_same_id() {
    let stage = Stage::memory().await;
    let (connection, faults) = behind_faults(&stage.connection);
    let queue = connection.queue("work").unwrap();
    faults.at(Call::Enqueue, 1, ANSWER_LOST);
    let stored = queue.enqueue(count(1)).await.unwrap();
    assert_eq!(faults.calls(Call::Enqueue), 2);
    assert_eq!(stage.stats().await.live(), 1, "{stored:?}");
}

#[tokio::test]
async fn tries_are_bounded_and_an_unknown_effect_is_never_forgotten() {
    let stage = Stage::memory().await;
    let (connection, faults) = behind_faults(&stage.connection);
    let queue = connection.queue("work").unwrap();
    faults.at(Call::Enqueue, 1, ANSWER_LOST);
    faults.at(Call::Enqueue, 2, AWAY);
    faults.at(Call::Enqueue, 3, AWAY);
    let error = queue.enqueue(count(1)).await.unwrap_err();
    assert_eq!(faults.calls(Call::Enqueue), 3);
    assert_eq!(error.effect(), Effect::Unknown);
    faults.at(Call::Enqueue, 1, REFUSED);
    let error = queue.enqueue(count(2)).await.unwrap_err();
    assert_eq!(
        faults.calls(Call::Enqueue),
        4,
        "what cannot succeed is not repeated"
    );
    assert_eq!(error.effect(), Effect::NotApplied);
}

#[tokio::test]
async fn a_request_ends_by_its_deadline() {
    let stage = Stage::memory().await;
    let (connection, faults) = behind_faults(&stage.connection);
    let queue = connection.queue("work").unwrap();
    let _gate = faults.hold_before(Call::Enqueue, 1);
    let request = queue.enqueue(count(1)).timeout(Duration::from_millis(30));
    let error = request.await.unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown);
    assert_eq!(faults.calls(Call::Enqueue), 1);
}

#[tokio::test]
async fn a_request_that_ran_out_of_time_tells_what_an_earlier_try_was_told() {
    let stage = Stage::memory().await;
    let (connection, faults) = behind_faults(&stage.connection);
    let queue = connection.queue("work").unwrap();
    faults.at(Call::Enqueue, 1, AWAY);
    let _gate = faults.hold_before(Call::Enqueue, 2);
    let request = queue.enqueue(count(1)).timeout(Duration::from_millis(300));
    let error = request.await.unwrap_err();
    assert_eq!(faults.calls(Call::Enqueue), 2);
    assert_eq!(error.effect(), Effect::Unknown);
    assert!(!error.to_string().contains("deadline"), "{error}");
}

#[tokio::test]
async fn what_could_never_be_delivered_is_refused() {
    let stage = Stage::memory().await;
    let queue = stage.queue();
    let second = Duration::from_secs(1);
    for (expires, delay) in [(0, 0), (1, 1), (1, 5)] {
        let request = queue.enqueue(count(1)).expires(second * expires);
        let refused = request.delay(second * delay).await.unwrap_err();
        let EnqueueError::Store(error) = refused else {
            panic!("{refused}");
        };
        assert_eq!(error.kind(), StoreErrorKind::InvalidInput, "{error}");
        assert_eq!(error.effect(), Effect::NotApplied);
    }
    assert_eq!(stage.stats().await.live(), 0);
    let request = queue.enqueue(count(1)).expires(second * 2);
    request.delay(second).await.unwrap();
}
