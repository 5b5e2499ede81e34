//! Dedup keys and their windows.

use longshore_core::{Changed, Enqueued, MessageId};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, MILLI, given, just_before, message, secs};
use crate::stage::name;

cases! { "dedup";
    5 a_repeat_answers_the_first_id_and_stores_nothing,
    5 the_window_ends_when_it_says,
    5 a_key_is_known_after_the_ack,
    5 a_repeat_inside_a_batch_is_a_duplicate,
    5 a_duplicate_does_not_prolong_the_window,
    5 each_message_brings_its_own_window,
    5 the_window_of_a_delayed_message_runs_from_its_enqueue,
    5 another_queue_has_its_own_keys,
    5 a_group_has_its_own_keys,
    5 another_handle_knows_the_key,
    4 cancel_forgets_the_key,
    4 purge_forgets_the_keys_of_what_it_removed,
    4 purge_keeps_the_keys_of_what_it_left,
    5 a_duplicate_of_a_leased_message_leaves_it_alone,
    5 a_key_is_known_while_its_message_is_dead,
    4 a_duplicate_id_registers_no_key,
}

fn duplicate(first: MessageId) -> Vec<Enqueued> {
    vec![Enqueued::Duplicate { first }]
}

/// The repeat has another id and body; what came first stays.
async fn a_repeat_answers_the_first_id_and_stores_nothing(stage: Stage) {
    let first = message("first").dedup("k", 60);
    stage.put(std::slice::from_ref(&first)).await;
    let again = stage.enqueue(&[message("again").dedup("k", 60)]).await;
    assert_eq!(again, duplicate(first.id));
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    assert_eq!(stage.take_one().await.message.id, first.id);
}

/// Inside the window one message, after it two.
async fn the_window_ends_when_it_says(stage: Stage) {
    let first = message("first").dedup("k", 60);
    stage.put(std::slice::from_ref(&first)).await;
    stage.advance(just_before(secs(60)));
    let again = stage.enqueue(&[message("again").dedup("k", 60)]).await;
    assert_eq!(again, duplicate(first.id));
    stage.advance(MILLI);
    stage.put(&[message("new").dedup("k", 60)]).await;
    assert_eq!(stage.counts().await, [2, 0, 0, 0]);
}

/// The window is about the key, not about the life of the message.
async fn a_key_is_known_after_the_ack(stage: Stage) {
    let first = message("first").dedup("k", 60);
    stage.put(std::slice::from_ref(&first)).await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    stage.advance(secs(59));
    let again = stage.enqueue(&[message("again").dedup("k", 60)]).await;
    assert_eq!(again, duplicate(first.id));
    stage.nothing().await;
}

/// The items of a batch are judged as if they came one by one.
async fn a_repeat_inside_a_batch_is_a_duplicate(stage: Stage) {
    let first = message("first").dedup("k", 60);
    let batch = [
        first.clone(),
        message("again").dedup("k", 60),
        message("other").dedup("l", 60),
    ];
    let expected = [
        Enqueued::Stored,
        Enqueued::Duplicate { first: first.id },
        Enqueued::Stored,
    ];
    assert_eq!(stage.enqueue(&batch).await, expected);
    assert_eq!(stage.counts().await, [2, 0, 0, 0]);
}

/// The window runs from the first enqueue.
async fn a_duplicate_does_not_prolong_the_window(stage: Stage) {
    let first = message("first").dedup("k", 60);
    stage.put(std::slice::from_ref(&first)).await;
    stage.advance(secs(50));
    let again = stage.enqueue(&[message("again").dedup("k", 600)]).await;
    assert_eq!(again, duplicate(first.id));
    stage.advance(secs(10));
    stage.put(&[message("new").dedup("k", 60)]).await;
}

/// The window of the message that came first counts.
async fn each_message_brings_its_own_window(stage: Stage) {
    let long = message("long").dedup("long", 100);
    stage
        .put(&[message("short").dedup("short", 10), long.clone()])
        .await;
    stage.advance(secs(10));
    let batch = [
        message("a").dedup("short", 10),
        message("b").dedup("long", 10),
    ];
    let expected = [Enqueued::Stored, Enqueued::Duplicate { first: long.id }];
    assert_eq!(stage.enqueue(&batch).await, expected);
}

/// A delay of the message does not delay the window.
async fn the_window_of_a_delayed_message_runs_from_its_enqueue(stage: Stage) {
    let first = message("first").dedup("k", 60).due_in(50);
    stage.put(std::slice::from_ref(&first)).await;
    stage.advance(secs(59));
    let again = stage.enqueue(&[message("again").dedup("k", 60)]).await;
    assert_eq!(again, duplicate(first.id));
    stage.advance(secs(1));
    stage.put(&[message("new").dedup("k", 60)]).await;
}

/// The scope of a key is its queue.
async fn another_queue_has_its_own_keys(mut stage: Stage) {
    stage.put(&[message("a").dedup("k", 60)]).await;
    stage.queue = name("other");
    stage.put(&[message("a").dedup("k", 60)]).await;
}

/// For a grouped message it is queue and group.
async fn a_group_has_its_own_keys(stage: Stage) {
    let first = message("g").group("g").dedup("k", 60);
    stage
        .put(&[message("none").dedup("k", 60), first.clone()])
        .await;
    stage.put(&[message("h").group("h").dedup("k", 60)]).await;
    let again = message("again").group("g").dedup("k", 60);
    assert_eq!(stage.enqueue(&[again]).await, duplicate(first.id));
}

/// Producers in two processes are recognised.
async fn another_handle_knows_the_key(stage: Stage) {
    let first = message("first").dedup("k", 60);
    stage.put(std::slice::from_ref(&first)).await;
    let other = stage.subject.reopen().await;
    let batch = [message("again").dedup("k", 60)];
    let again = other.queues.enqueue(&stage.queue, &batch).await;
    assert_eq!(again.expect("enqueue"), duplicate(first.id));
}

/// Who cancels a message may enqueue it again.
async fn cancel_forgets_the_key(stage: Stage) {
    let first = message("first").dedup("k", 60);
    stage.put(std::slice::from_ref(&first)).await;
    assert_eq!(stage.cancel(first.id).await, Changed::Applied);
    stage.put(&[message("new").dedup("k", 60)]).await;
}

/// So may who purges a queue.
async fn purge_forgets_the_keys_of_what_it_removed(stage: Stage) {
    stage.put(&[message("a").dedup("k", 60)]).await;
    stage.put(&[message("b").dedup("l", 60).due_in(5)]).await;
    assert_eq!(stage.purge(10).await, 2);
    let batch = [message("a").dedup("k", 60), message("b").dedup("l", 60)];
    stage.put(&batch).await;
}

/// A message that a worker has keeps its key, and so does one that is done.
async fn purge_keeps_the_keys_of_what_it_left(stage: Stage) {
    let leased = message("leased").dedup("k", 60);
    let done = message("done").dedup("l", 60);
    stage.put(&[done.clone(), leased.clone()]).await;
    let taken = stage.take(2).await;
    stage.ack(&taken[0]).await;
    assert_eq!(stage.purge(10).await, 0);
    let batch = [message("x").dedup("k", 60), message("y").dedup("l", 60)];
    let expected = [leased.id, done.id].map(|first| Enqueued::Duplicate { first });
    assert_eq!(stage.enqueue(&batch).await, expected);
}

/// A duplicate of what runs is refused and changes nothing about the run.
async fn a_duplicate_of_a_leased_message_leaves_it_alone(stage: Stage) {
    let first = message("first").dedup("k", 600);
    stage.put(std::slice::from_ref(&first)).await;
    let taken = stage.take_one().await;
    let again = stage.enqueue(&[message("again").dedup("k", 60)]).await;
    assert_eq!(again, duplicate(first.id));
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
    stage.retry(&taken, 0).await;
    let redelivered = stage.take_one().await;
    assert_eq!((redelivered.message.id, redelivered.attempt), (first.id, 2));
}

/// A dead message still is the first one with its key.
async fn a_key_is_known_while_its_message_is_dead(stage: Stage) {
    let first = given("first").dedup("k", 60);
    stage.put(std::slice::from_ref(&first)).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    let again = stage.enqueue(&[message("again").dedup("k", 60)]).await;
    assert_eq!(again, duplicate(first.id));
}

/// A message that was not stored leaves nothing, not even its key.
async fn a_duplicate_id_registers_no_key(stage: Stage) {
    let first = given("first");
    stage.put(std::slice::from_ref(&first)).await;
    let again = stage.enqueue(&[first.clone().dedup("k", 60)]).await;
    assert_eq!(again, [stage.repeat_of(first.id)]);
    // A store that cannot tell the repeat took it for the first message with that key.
    let is_told = stage.repeat_of(first.id) != Enqueued::Stored;
    let next = stage.enqueue(&[message("new").dedup("k", 60)]).await;
    let expected = if is_told {
        vec![Enqueued::Stored]
    } else {
        duplicate(first.id)
    };
    assert_eq!(next, expected);
}
