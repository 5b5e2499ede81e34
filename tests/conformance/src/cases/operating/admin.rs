//! Looking at a queue, and changing what nobody works on.

use longshore_core::{
    Changed, Cursor, Due, Found, MessageState, Result, StoreErrorKind, StoredMessage,
};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, messages, secs};
use crate::stage::{LEASE, bodies, count, ids, name, refused};

cases! { "admin";
    13 queues_are_listed_by_name_in_pages,
    14 a_queue_that_does_not_exist_is_empty,
    14 peek_shows_every_live_message_once_in_queue_order,
    14 peek_changes_nothing,
    14 a_malformed_cursor_is_refused,
    14 find_shows_each_state,
    14 find_knows_nothing_of_what_is_gone,
    14 stats_count_each_state,
    14 a_message_whose_lease_ended_counts_as_waiting,
    14 the_oldest_age_is_that_of_the_oldest_ready_message,
}

/// Pages cover all queues, in the order of their names.
async fn queues_are_listed_by_name_in_pages(mut stage: Stage) {
    let names = ["a.1", "b", "c:x", "d_", "e-5"];
    for text in names.iter().rev() {
        stage.queue = name(text);
        stage.put(&messages(["m"])).await;
    }
    for max in [1, 2, 5, 9] {
        let mut all = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = stage.store.admin.queues(after.as_ref(), count(max)).await;
            let page = page.expect("queues");
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let listed: Vec<_> = all.iter().map(longshore_core::QueueName::as_str).collect();
        assert_eq!(listed, names, "pages of {max}");
    }
}

/// Looking at it is no error and makes no queue.
async fn a_queue_that_does_not_exist_is_empty(stage: Stage) {
    let id = message("a").id;
    assert!(stage.peek_in_pages(9).await.is_empty());
    assert!(stage.dead().await.is_empty());
    assert!(stage.export_in_pages(9).await.is_empty());
    assert!(stage.find(id).await.is_none());
    assert_eq!(stage.cancel(id).await, Changed::NotFound);
    assert_eq!(stage.reschedule(id, Due::NOW).await, Changed::NotFound);
    assert_eq!(stage.try_redrive(id).await, Changed::NotFound);
    assert_eq!(stage.discard(id).await, Changed::NotFound);
    assert_eq!(stage.purge(9).await, 0);
    stage.mark_moving(None).await;
    assert!(stage.stats_of(&stage.queue).await.is_none());
    let page = stage.store.admin.queues(None, count(9)).await;
    assert!(page.expect("queues").items.is_empty());
}

/// Waiting and leased ones; pages of any size show the same, waiting ones in their order.
async fn peek_shows_every_live_message_once_in_queue_order(stage: Stage) {
    let batch = messages(["a", "b", "c", "d", "e", "f", "g"]);
    stage.put(&batch).await;
    stage.take(2).await;
    let all = stage.peek_in_pages(100).await;
    let waiting = all.iter().filter(|one| one.state == MessageState::Waiting);
    let waiting: Vec<_> = waiting.map(StoredMessage::id).collect();
    assert_eq!(waiting, ids(&batch)[2..]);
    let mut seen: Vec<_> = all.iter().map(StoredMessage::id).collect();
    seen.sort();
    assert_eq!(seen, ids(&batch));
    for max in [1, 3, 7, 8] {
        assert_eq!(stage.peek_in_pages(max).await, all, "pages of {max}");
    }
}

/// No lease, no attempt, no order.
async fn peek_changes_nothing(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let before = stage.peek_in_pages(9).await;
    assert_eq!(stage.peek_in_pages(1).await, before);
    assert!(before.iter().all(|one| one.attempts == 0));
    assert_eq!(stage.counts().await, [2, 0, 0, 0]);
    assert_eq!(bodies(&stage.take(9).await), ["a", "b"]);
}

/// A cursor that the call did not give is a wrong argument.
async fn a_malformed_cursor_is_refused(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let admin = &stage.store.admin;
    let max = count(9);
    for bad in ["", "garbage", "-1", "9999999999999999999999", "a:b:c", "é"] {
        let cursor = Some(&Cursor::new(bad)).cloned();
        let after = cursor.as_ref();
        is_malformed(bad, admin.peek(&stage.queue, after, max).await);
        is_malformed(bad, admin.dead_letters(&stage.queue, after, max).await);
        is_malformed(bad, admin.export(&stage.queue, after, max).await);
    }
    is_malformed("?", admin.queues(Some(&Cursor::new("?")), max).await);
}

fn is_malformed<T: std::fmt::Debug>(cursor: &str, answer: Result<T>) {
    let kind = refused(answer).kind();
    assert_eq!(kind, StoreErrorKind::InvalidInput, "{cursor:?}");
}

/// State, due time and attempts are what the message went through.
async fn find_shows_each_state(stage: Stage) {
    let batch = [
        message("waiting"),
        message("delayed").due_in(9),
        message("leased"),
    ];
    stage.put(&batch[2..]).await;
    let taken = stage.take_one().await;
    stage.put(&batch[..2]).await;
    let [waiting, delayed, leased] = [0, 1, 2].map(|index: usize| batch[index].id);
    assert_eq!(stage.found(waiting).await.state, MessageState::Waiting);
    let delayed = stage.found(delayed).await;
    assert_eq!(delayed.state, MessageState::Delayed);
    assert_eq!(delayed.due_at, stage.now().plus(secs(9)));
    let until = taken.leased_until;
    assert_eq!(
        stage.found(leased).await.state,
        MessageState::Leased { until }
    );
    stage.bury(&taken).await;
    assert!(stage.found(leased).await.dead().is_some());
}

/// Acked, cancelled and discarded messages are not found, nor is an id that never was.
async fn find_knows_nothing_of_what_is_gone(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let taken = stage.take(2).await;
    stage.ack(&taken[0]).await;
    stage.bury(&taken[1]).await;
    stage.discard(taken[1].message.id).await;
    let last = stage.peek_in_pages(1).await[0].id();
    stage.cancel(last).await;
    let gone = [taken[0].message.id, taken[1].message.id, last];
    for id in gone.into_iter().chain([message("x").id]) {
        let found = stage.store.admin.find(&stage.queue, id).await;
        assert_eq!(found.expect("find"), Found::NotFound);
    }
}

/// The numbers of a queue with something in each state.
async fn stats_count_each_state(stage: Stage) {
    stage.put(&messages(["dead", "backoff", "leased"])).await;
    let taken = stage.take(3).await;
    stage.bury(&taken[0]).await;
    stage.retry(&taken[1], 100).await;
    stage
        .put(&[
            message("waiting"),
            message("delayed").due_in(60),
            message("head").group("g"),
            message("behind").group("g"),
        ])
        .await;
    let stats = stage.stats().await;
    assert_eq!(stage.counts().await, [3, 2, 1, 1]);
    assert_eq!((stats.live(), stats.parked, stats.set_aside), (6, 0, 0));
    assert_eq!((stats.paused, stats.moving), (None, None));
}

/// Its worker is gone or late. No receive has to come for it to be seen, also where hand-outs are
/// stopped; until it is delivered again the old receipt is good.
async fn a_message_whose_lease_ended_counts_as_waiting(stage: Stage) {
    let batch = messages(["a", "b"]);
    stage.put(&batch).await;
    let taken = stage.take(2).await;
    stage.pause().await;
    stage.advance(LEASE);
    assert_eq!(stage.counts().await, [2, 0, 0, 0]);
    assert_eq!(stage.stats().await.oldest_age, Some(LEASE));
    assert_eq!(stage.found(batch[0].id).await.state, MessageState::Waiting);
    let states = stage.peek_in_pages(1).await;
    let states: Vec<_> = states.iter().map(|one| one.state.as_str()).collect();
    assert_eq!(states, ["waiting", "waiting"]);
    stage.ack(&taken[1]).await;
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    assert!(stage.resume().await);
    assert_eq!(stage.take_one().await.message.id, batch[0].id);
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
}

/// Messages in work and delayed ones have no age to worry about.
async fn the_oldest_age_is_that_of_the_oldest_ready_message(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.advance(secs(5));
    stage
        .put(&[message("b"), message("late").due_in(100)])
        .await;
    stage.advance(secs(5));
    assert_eq!(stage.stats().await.oldest_age, Some(secs(10)));
    let taken = stage.take_one().await;
    assert_eq!(stage.stats().await.oldest_age, Some(secs(5)));
    stage.take_one().await;
    assert_eq!(stage.stats().await.oldest_age, None);
    stage.ack(&taken).await;
}
