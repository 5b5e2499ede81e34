//! Giving messages back: not worked, not charged.

use longshore_core::{Due, MessageState};

use crate::Stage;
use crate::case::cases;
use crate::draft::{MILLI, just_before, message, messages, secs};
use crate::settling::release_in;
use crate::stage::bodies;

cases! { "release";
    2 a_released_message_is_ready_at_once,
    2 a_released_message_keeps_its_place,
    2 a_batch_released_in_any_order_keeps_its_places,
    2 a_release_may_wait,
    2 a_release_with_a_due_time_in_the_past_is_ready,
    2 another_handle_gets_what_was_released,
}

/// A drain gives work back to its peers at once.
async fn a_released_message_is_ready_at_once(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let before = stage.found(taken.message.id).await.due_at;
    stage.advance(secs(3));
    stage.release(&taken).await;
    let found = stage.found(taken.message.id).await;
    assert_eq!((found.state, found.due_at), (MessageState::Waiting, before));
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    stage.take_one().await;
}

/// What was released goes before what was enqueued after it.
async fn a_released_message_keeps_its_place(stage: Stage) {
    stage.put(&[message("first")]).await;
    let taken = stage.take_one().await;
    stage.advance(secs(1));
    stage.put(&messages(["second", "third"])).await;
    stage.release(&taken).await;
    assert_eq!(bodies(&stage.take(9).await), ["first", "second", "third"]);
}

/// The order of the releases does not matter.
async fn a_batch_released_in_any_order_keeps_its_places(stage: Stage) {
    stage.put(&messages(["a", "b", "c", "d"])).await;
    let taken = stage.take(3).await;
    for index in [1, 2, 0] {
        stage.advance(secs(1));
        stage.release(&taken[index]).await;
    }
    assert_eq!(bodies(&stage.take(9).await), ["a", "b", "c", "d"]);
}

/// A release with a due time comes back then, with its attempt given back.
async fn a_release_may_wait(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.end(&taken, release_in(10)).await;
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
    let found = stage.found(taken.message.id).await;
    assert_eq!(
        (found.attempts, found.due_at),
        (0, stage.now().plus(secs(10)))
    );
    stage.advance(just_before(secs(10)));
    stage.nothing().await;
    stage.advance(MILLI);
    assert_eq!(stage.take_one().await.attempt, 1);
}

/// A due time that has passed is no delay.
async fn a_release_with_a_due_time_in_the_past_is_ready(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let past = stage.now();
    stage.advance(secs(9));
    let release = longshore_core::Disposition::Release {
        due: Some(Due::At(past)),
        checkpoint: None,
    };
    stage.end(&taken, release).await;
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    assert_eq!(stage.take_one().await.attempt, 1);
}

/// Released work is for everybody.
async fn another_handle_gets_what_was_released(stage: Stage) {
    stage.put(&[message("a")]).await;
    let other = stage.subject.reopen().await;
    let taken = stage.take_one().await;
    stage.release(&taken).await;
    let again = stage.take_at(&other, 1).await;
    assert_eq!(again[0].attempt, 1);
    assert_ne!(again[0].receipt, taken.receipt);
}
