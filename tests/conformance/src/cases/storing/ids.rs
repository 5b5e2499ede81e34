//! Ids: how long a repeat is recognised.

use longshore_core::{
    Changed, Due, Enqueued, Found, GivenIdRepeat, Lane, MessageState, NewMessage, SettingsChange,
};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, MILLI, given, just_before, message, secs};
use crate::stage::{bodies, name};

cases! { "ids";
    4 a_given_id_is_known_while_it_waits,
    4 a_given_id_is_known_while_it_is_delayed,
    4 a_given_id_is_known_while_it_is_leased,
    4 a_given_id_is_known_while_it_backs_off,
    4 a_given_id_is_known_for_its_window_after_the_ack,
    4 the_window_is_a_setting_of_the_queue,
    4 a_window_begins_with_the_ack_and_not_with_the_enqueue,
    4 a_fresh_id_that_lives_is_known,
    4 a_fresh_id_is_forgotten_after_the_ack,
    4 an_id_twice_in_a_batch_is_stored_once,
    4 another_queue_has_its_own_ids,
    4 another_handle_knows_the_id,
    4 cancel_forgets_the_id,
    4 purge_forgets_what_it_removed_and_nothing_else,
    4 the_first_message_stays_as_it_was,
    4 of_two_processes_the_first_to_store_counts,
    4 a_repeat_changes_nothing_about_one_that_was_rescheduled,
    4 a_repeat_of_one_that_was_delayed_is_no_message_to_anybody,
}

/// Enqueues again what is there already.
async fn is_known(stage: &Stage, new: &NewMessage) {
    let before = stage.find(new.id).await;
    let answer = stage.enqueue(std::slice::from_ref(new)).await;
    let first = new.id;
    match stage.store.queues.limits().given_id_repeat {
        GivenIdRepeat::Duplicate => assert_eq!(answer, [Enqueued::Duplicate { first }]),
        _ => assert_eq!(answer.len(), 1),
    }
    assert_eq!(stage.find(new.id).await, before);
}

/// A repeat of a message that waits is no second message.
async fn a_given_id_is_known_while_it_waits(stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    stage.advance(secs(100_000));
    is_known(&stage, &new).await;
    assert_eq!(stage.take(9).await.len(), 1);
}

/// Nor of one that is delayed, and the due time stays.
async fn a_given_id_is_known_while_it_is_delayed(stage: Stage) {
    let new = given("a").due_in(10);
    stage.put(std::slice::from_ref(&new)).await;
    stage.advance(secs(5));
    is_known(&stage, &new).await;
    stage.advance(secs(5));
    assert_eq!(stage.take(9).await.len(), 1);
}

/// Nor of one that somebody works on.
async fn a_given_id_is_known_while_it_is_leased(stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    is_known(&stage, &new).await;
    stage.ack(&taken).await;
}

/// Nor of one that failed and comes back.
async fn a_given_id_is_known_while_it_backs_off(stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage.retry(&taken, 100).await;
    is_known(&stage, &new).await;
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
}

/// Ten minutes after the ack, to the millisecond, it is forgotten.
async fn a_given_id_is_known_for_its_window_after_the_ack(stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    stage.advance(just_before(secs(600)));
    is_known(&stage, &new).await;
    stage.nothing().await;
    stage.advance(MILLI);
    stage.put(std::slice::from_ref(&new)).await;
    assert_eq!(stage.take_one().await.attempt, 1);
}

/// `id_window` of the queue counts.
async fn the_window_is_a_setting_of_the_queue(stage: Stage) {
    stage
        .configure(SettingsChange {
            id_window_ms: Some(3_600_000),
            ..SettingsChange::default()
        })
        .await;
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    stage.advance(secs(3599));
    is_known(&stage, &new).await;
    stage.advance(secs(1));
    stage.put(&[new]).await;
}

/// A message that lived long is still recognised after it.
async fn a_window_begins_with_the_ack_and_not_with_the_enqueue(stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    stage.advance(secs(10_000));
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    stage.advance(secs(599));
    is_known(&stage, &new).await;
}

/// A producer that repeats a call whose answer was lost stores nothing twice.
async fn a_fresh_id_that_lives_is_known(stage: Stage) {
    let new = message("a");
    stage.put(std::slice::from_ref(&new)).await;
    let first = new.id;
    let again = stage.enqueue(std::slice::from_ref(&new)).await;
    assert_eq!(again, [Enqueued::Duplicate { first }]);
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}

/// Fresh ids never come twice, so no store is made to remember them.
async fn a_fresh_id_is_forgotten_after_the_ack(stage: Stage) {
    let new = message("a");
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    stage.advance(secs(1));
    stage.put(&[new]).await;
}

/// The items of a batch are judged as if they came one by one.
async fn an_id_twice_in_a_batch_is_stored_once(stage: Stage) {
    let new = given("a");
    let first = new.id;
    let outcomes = stage.enqueue(&[new.clone(), new]).await;
    assert_eq!(outcomes, [Enqueued::Stored, Enqueued::Duplicate { first }]);
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}

/// An id is known in its queue.
async fn another_queue_has_its_own_ids(mut stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    stage.queue = name("other");
    stage.put(&[new]).await;
}

/// Producers in two processes are recognised.
async fn another_handle_knows_the_id(stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    let other = stage.subject.reopen().await;
    let first = new.id;
    let again = other.queues.enqueue(&stage.queue, &[new]).await;
    assert_eq!(again.expect("enqueue"), [stage.repeat_of(first)]);
    assert_eq!(stage.take(9).await.len(), 1);
}

/// Who cancels a message may enqueue it again at once.
async fn cancel_forgets_the_id(stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    assert_eq!(stage.cancel(new.id).await, Changed::Applied);
    stage.put(&[new]).await;
    assert_eq!(stage.take(9).await.len(), 1);
}

/// A purge forgets the ids of what it removed; those of leased, dead and done ones are kept.
async fn purge_forgets_what_it_removed_and_nothing_else(stage: Stage) {
    let kept = [given("done"), given("dead"), given("leased")];
    let removed = [given("waiting"), given("delayed").due_in(9)];
    stage.put(&kept).await;
    let taken = stage.take(3).await;
    stage.ack(&taken[0]).await;
    stage.bury(&taken[1]).await;
    stage.put(&removed).await;
    assert_eq!(stage.purge(10).await, 2);
    for new in &kept {
        is_known(&stage, new).await;
    }
    stage.put(&removed).await;
}

/// A repeat with another body changes nothing about the first.
async fn the_first_message_stays_as_it_was(stage: Stage) {
    let new = given("first");
    stage.put(std::slice::from_ref(&new)).await;
    let mut again = new.clone().group("g").due_in(50);
    again.body = "again".into();
    is_known(&stage, &again).await;
    let taken = stage.take_one().await;
    assert_eq!(taken.message.body, "first");
}

/// The same id with another body in another lane, at once.
fn given_again(new: &NewMessage) -> NewMessage {
    let mut again = new.clone().lane(Lane::High);
    again.body = "again".into();
    again.due = None;
    again
}

/// A repeat changes nothing about the first either where another process stores it, in another
/// lane, and the process that hands messages out learns of both at once.
async fn of_two_processes_the_first_to_store_counts(stage: Stage) {
    stage.put(&[message("before")]).await;
    let before = stage.take(9).await;
    stage.ack(&before[0]).await;
    let new = given("first");
    stage.put(std::slice::from_ref(&new)).await;
    stage.advance(MILLI);
    let again = given_again(&new);
    let other = stage.subject.reopen().await;
    let stored = other.queues.enqueue(&stage.queue, &[again]).await;
    assert_eq!(stored.expect("enqueue"), [stage.repeat_of(new.id)]);
    let found = stage.found(new.id).await;
    assert_eq!(found.message().map(|it| it.lane), Some(Lane::Normal));
    assert_eq!(bodies(&stage.take(9).await), ["first"]);
}

/// Nor does it where the first lies elsewhere than its repeat, and was changed since.
async fn a_repeat_changes_nothing_about_one_that_was_rescheduled(stage: Stage) {
    let new = given("a").due_in(10);
    stage.put(std::slice::from_ref(&new)).await;
    let again = given_again(&new);
    assert_eq!(stage.enqueue(&[again]).await, [stage.repeat_of(new.id)]);
    let answer = stage.reschedule(new.id, Due::In(secs(5))).await;
    assert_eq!(answer, Changed::Applied);
    let other = stage.subject.reopen().await;
    let found = other.admin.find(&stage.queue, new.id).await;
    let Found::Message(found) = found.expect("find") else {
        panic!("it is there");
    };
    assert_eq!(found.state, MessageState::Delayed);
    stage.advance(secs(5));
    assert_eq!(stage.take_one().await.message.lane, Lane::Normal);
    stage.nothing().await;
}

/// For every process that looks, from the first time on.
async fn a_repeat_of_one_that_was_delayed_is_no_message_to_anybody(stage: Stage) {
    let new = given("a").due_in(10);
    stage.put(std::slice::from_ref(&new)).await;
    stage.advance(secs(10));
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    stage.advance(secs(1));
    assert_eq!(
        stage.enqueue(&[given_again(&new)]).await,
        [stage.repeat_of(new.id)]
    );
    let other = stage.subject.reopen().await;
    let found = other.admin.find(&stage.queue, new.id).await;
    assert_eq!(found.expect("find"), Found::NotFound);
    assert!(stage.take_at(&other, 9).await.is_empty());
}
