//! What enqueue stores, and what it refuses.

use longshore_core::{Due, Enqueued, MessageState, StoreErrorKind, Timestamp, TraceContext};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, MILLI, given, just_before, message, messages, secs};
use crate::stage::{bodies, refused};

cases! { "enqueue";
    1 what_is_stored_is_delivered,
    4 outcomes_are_one_for_each_in_order,
    4 an_empty_batch_answers_nothing_and_makes_no_queue,
    1 any_bytes_come_back_unchanged,
    10 headers_kind_and_trace_come_back_unchanged,
    12 a_body_at_the_limit_is_taken_and_one_byte_more_is_refused,
    12 one_refused_message_refuses_the_whole_batch,
    12 headers_over_a_limit_are_refused,
    12 a_batch_over_the_limit_is_refused,
    12 a_dedup_window_of_zero_is_refused,
    13 the_first_enqueue_makes_the_queue,
    13 a_refused_enqueue_makes_no_queue,
    6 times_are_those_of_the_stores_clock,
    6 a_delayed_message_waits_for_its_due_time,
    6 a_due_time_in_the_past_is_at_once,
}

/// What enqueue called stored is handed out with its id.
async fn what_is_stored_is_delivered(stage: Stage) {
    let new = message("a");
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    assert_eq!(taken.message.id, new.id);
    assert_eq!(taken.message.id_origin, new.id_origin);
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
}

/// A batch answers one outcome for each message, in the order of the batch.
async fn outcomes_are_one_for_each_in_order(stage: Stage) {
    let known = given("known");
    stage.put(std::slice::from_ref(&known)).await;
    let batch = [message("a"), known.clone(), message("b")];
    let first = known.id;
    let expected = [Enqueued::Stored, stage.repeat_of(first), Enqueued::Stored];
    assert_eq!(stage.enqueue(&batch).await, expected);
    let mut stored = bodies(&stage.take(9).await);
    stored.sort_unstable();
    assert_eq!(stored, ["a", "b", "known"]);
}

/// Nothing in is nothing out.
async fn an_empty_batch_answers_nothing_and_makes_no_queue(stage: Stage) {
    assert!(stage.enqueue(&[]).await.is_empty());
    assert!(stage.stats_of(&stage.queue).await.is_none());
}

/// Bodies are bytes: empty ones, NUL and bytes that are no UTF-8 among them.
async fn any_bytes_come_back_unchanged(stage: Stage) {
    let all: Vec<u8> = (0..=255).collect();
    let given: Vec<Vec<u8>> = vec![vec![], vec![0], vec![0xff, 0xfe, 0], all];
    let batch: Vec<_> = given.iter().map(message).collect();
    stage.put(&batch).await;
    let taken = stage.take(9).await;
    let found: Vec<_> = taken.iter().map(|one| one.message.body.to_vec()).collect();
    assert_eq!(found, given);
}

/// Everything the producer said about a message travels with it.
async fn headers_kind_and_trace_come_back_unchanged(stage: Stage) {
    let mut new = message("a")
        .header("tenant", "Kunde 7/é")
        .header("empty", "")
        .group("g 1");
    new.kind = "resize".parse().expect("a kind");
    new.trace = Some(TraceContext {
        parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        state: "a=b".to_owned(),
    });
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    assert_eq!(taken.message, new.stored_at(stage.now(), None));
}

/// The limit itself is allowed, one byte more is not, and the error names the limit.
async fn a_body_at_the_limit_is_taken_and_one_byte_more_is_refused(stage: Stage) {
    let max = stage.store.queues.limits().body_bytes_default;
    let error = refused(stage.try_enqueue(&[message(vec![7; max + 1])]).await);
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    assert!(error.to_string().contains(&max.to_string()), "{error}");
    stage.put(&[message(vec![7; max])]).await;
    assert_eq!(stage.take_one().await.message.body, vec![7; max]);
}

/// Limits are tested before anything is written.
async fn one_refused_message_refuses_the_whole_batch(stage: Stage) {
    stage.put(&[message("before")]).await;
    let max = stage.store.queues.limits().body_bytes_default;
    let batch = [message("good"), message(vec![0; max + 1])];
    refused(stage.try_enqueue(&batch).await);
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}

/// Too many headers, or line breaks in them, are wrong arguments.
async fn headers_over_a_limit_are_refused(stage: Stage) {
    let mut many = message("a");
    for number in 0..=longshore_core::Headers::COUNT_MAX {
        many.headers.insert(format!("h{number}"), "v");
    }
    for bad in [many, message("a").header("x", "a\r\nb")] {
        let error = refused(stage.try_enqueue(&[bad]).await);
        assert_eq!(error.kind(), StoreErrorKind::InvalidInput);
    }
}

/// A batch has at most `batch_max` messages.
async fn a_batch_over_the_limit_is_refused(stage: Stage) {
    let max = stage.store.queues.limits().batch_max.get() as usize;
    let batch: Vec<_> = (0..=max).map(|_| message("a")).collect();
    let error = refused(stage.try_enqueue(&batch).await);
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    stage.put(&batch[..max]).await;
    assert_eq!(stage.counts().await, [max as u64, 0, 0, 0]);
}

/// A key that would be forgotten at once is a mistake.
async fn a_dedup_window_of_zero_is_refused(stage: Stage) {
    let error = refused(stage.try_enqueue(&[message("a").dedup("k", 0)]).await);
    assert_eq!(error.kind(), StoreErrorKind::InvalidInput);
}

/// A queue exists from its first enqueue.
async fn the_first_enqueue_makes_the_queue(stage: Stage) {
    assert!(stage.stats_of(&stage.queue).await.is_none());
    stage.put(&messages(["a"])).await;
    assert!(stage.stats_of(&stage.queue).await.is_some());
}

/// What was refused leaves no trace.
async fn a_refused_enqueue_makes_no_queue(stage: Stage) {
    refused(stage.try_enqueue(&[message("a").dedup("k", 0)]).await);
    assert!(stage.stats_of(&stage.queue).await.is_none());
}

/// Enqueue stamps with the store's clock and resolves spans with it.
async fn times_are_those_of_the_stores_clock(stage: Stage) {
    stage.advance(secs(12_345));
    let new = message("a").due_in(5).expires_in(60);
    stage.put(std::slice::from_ref(&new)).await;
    let found = stage.found(new.id).await;
    let stored = found.message().expect("it is intact");
    assert_eq!(stored.enqueued_at, stage.now());
    assert_eq!(stored.due_at, stage.now().plus(secs(5)));
    assert_eq!(stored.expires_at, Some(stage.now().plus(secs(60))));
    assert_eq!(found.due_at, stored.due_at);
    assert_eq!(found.state, MessageState::Delayed);
}

/// A delayed message counts as delayed and is handed out at its due time, not before.
async fn a_delayed_message_waits_for_its_due_time(stage: Stage) {
    stage.put(&[message("later").due_in(10)]).await;
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
    stage.advance(just_before(secs(10)));
    stage.nothing().await;
    stage.advance(MILLI);
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    assert_eq!(stage.take_one().await.attempt, 1);
}

/// A due time that has passed is no delay.
async fn a_due_time_in_the_past_is_at_once(stage: Stage) {
    let mut new = message("a");
    new.due = Some(Due::At(Timestamp::from_millis(1)));
    stage.put(&[new]).await;
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    stage.take_one().await;
}
