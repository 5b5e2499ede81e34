//! Changing what nobody works on: cancel, reschedule, purge.

use longshore_core::{Changed, Disposition, Due, Purged, Settled, StoreErrorKind};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, messages, secs};
use crate::stage::{LEASE, bodies, count, refused};

cases! { "admin";
    14 cancel_removes_what_nobody_works_on,
    14 cancel_leaves_a_leased_message_alone,
    14 cancel_takes_a_message_whose_lease_ended,
    14 cancel_answers_for_each_id_in_order,
    14 reschedule_brings_a_delayed_message_forward,
    14 reschedule_puts_a_waiting_message_off,
    14 reschedule_moves_a_back_off_and_charges_nothing,
    14 reschedule_leaves_leased_and_dead_messages_alone,
    14 reschedule_puts_a_message_off_whose_lease_ended,
    14 reschedule_keeps_the_head_of_a_group_whose_lease_ended,
    14 purge_removes_what_nobody_works_on,
    14 purge_takes_no_more_than_it_is_told,
    14 purge_takes_messages_whose_lease_ended,
    14 purge_takes_what_a_late_ack_left,
    14 too_many_ids_are_refused,
}

/// Waiting, delayed and back-off messages go.
async fn cancel_removes_what_nobody_works_on(stage: Stage) {
    stage.put(&messages(["backoff"])).await;
    let taken = stage.take_one().await;
    stage.retry(&taken, 50).await;
    let batch = [message("waiting"), message("delayed").due_in(9)];
    stage.put(&batch).await;
    for id in [taken.message.id, batch[0].id, batch[1].id] {
        assert_eq!(stage.cancel(id).await, Changed::Applied);
        assert_eq!(stage.cancel(id).await, Changed::NotFound);
    }
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
    stage.advance(secs(100));
    stage.nothing().await;
}

/// Nobody takes a message out of a worker's hands.
async fn cancel_leaves_a_leased_message_alone(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    assert_eq!(stage.cancel(taken.message.id).await, Changed::Leased);
    stage.retry(&taken, 0).await;
    assert_eq!(stage.take_one().await.attempt, 2);
}

/// Its worker is gone or late: an operator need not wait for a receive that may never come. The
/// receipt of another message of the same receive is as good as before.
async fn cancel_takes_a_message_whose_lease_ended(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let taken = stage.take(3).await;
    stage.advance(LEASE);
    let id = taken[1].message.id;
    assert_eq!(stage.cancel(id).await, Changed::Applied);
    assert_eq!(stage.cancel(id).await, Changed::NotFound);
    let late = stage.settle(&taken[1], Disposition::Ack).await;
    assert_eq!(late, Settled::LeaseLost);
    stage.ack(&taken[0]).await;
    assert_eq!(bodies(&stage.take(9).await), ["c"]);
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
}

/// Each id has its own outcome; dead ones are not cancelled.
async fn cancel_answers_for_each_id_in_order(stage: Stage) {
    stage.put(&messages(["dead", "leased"])).await;
    let taken = stage.take(2).await;
    stage.bury(&taken[0]).await;
    let waiting = messages(["waiting"]);
    stage.put(&waiting).await;
    let asked = [
        taken[0].message.id,
        taken[1].message.id,
        waiting[0].id,
        waiting[0].id,
    ];
    let answer = stage.store.admin.cancel(&stage.queue, &asked).await;
    let expected = [
        Changed::NotFound,
        Changed::Leased,
        Changed::Applied,
        Changed::NotFound,
    ];
    assert_eq!(answer.expect("cancel"), expected);
    assert_eq!(stage.counts().await, [0, 0, 1, 1]);
}

/// "Deliver scheduled now."
async fn reschedule_brings_a_delayed_message_forward(stage: Stage) {
    let new = message("a").due_in(1000);
    stage.put(std::slice::from_ref(&new)).await;
    assert_eq!(stage.reschedule(new.id, Due::NOW).await, Changed::Applied);
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    assert_eq!(stage.take_one().await.attempt, 1);
}

/// It is delayed then, until the new due time.
async fn reschedule_puts_a_waiting_message_off(stage: Stage) {
    let new = message("a");
    stage.put(std::slice::from_ref(&new)).await;
    let answer = stage.reschedule(new.id, Due::In(secs(20))).await;
    assert_eq!(answer, Changed::Applied);
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
    assert_eq!(stage.found(new.id).await.due_at, stage.now().plus(secs(20)));
    stage.advance(secs(19));
    stage.nothing().await;
    stage.advance(secs(1));
    stage.take_one().await;
}

/// A retry that waits can be told to wait more or less.
async fn reschedule_moves_a_back_off_and_charges_nothing(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.retry(&taken, 1000).await;
    let id = taken.message.id;
    assert_eq!(
        stage.reschedule(id, Due::In(secs(5))).await,
        Changed::Applied
    );
    stage.advance(secs(5));
    let again = stage.take_one().await;
    assert_eq!((again.attempt, again.recorded_through), (2, 1));
}

/// They have no due time to change.
async fn reschedule_leaves_leased_and_dead_messages_alone(stage: Stage) {
    stage.put(&messages(["leased", "dead"])).await;
    let taken = stage.take(2).await;
    stage.bury(&taken[1]).await;
    let [leased, dead] = [0, 1].map(|index: usize| taken[index].message.id);
    let due = Due::In(secs(5));
    assert_eq!(stage.reschedule(leased, due).await, Changed::Leased);
    assert_eq!(stage.reschedule(dead, due).await, Changed::NotFound);
    assert_eq!(stage.counts().await, [0, 0, 1, 1]);
    stage.ack(&taken[0]).await;
}

/// It is as one in back-off, and the delivery that came to nothing stays counted.
async fn reschedule_puts_a_message_off_whose_lease_ended(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.advance(LEASE);
    let outcome = stage.reschedule(taken.message.id, Due::In(secs(5))).await;
    assert_eq!(outcome, Changed::Applied);
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
    let late = stage.settle(&taken, Disposition::Ack).await;
    assert_eq!(late, Settled::LeaseLost);
    stage.nothing().await;
    stage.advance(secs(5));
    assert_eq!(stage.take_one().await.attempt, 2);
}

/// It was delivered before: the group waits for it.
async fn reschedule_keeps_the_head_of_a_group_whose_lease_ended(stage: Stage) {
    stage
        .put(&[message("1").group("g"), message("2").group("g")])
        .await;
    let head = stage.take_one().await;
    stage.advance(LEASE);
    let outcome = stage.reschedule(head.message.id, Due::In(secs(5))).await;
    assert_eq!(outcome, Changed::Applied);
    stage.nothing().await;
    stage.advance(secs(5));
    let again = stage.take(9).await;
    assert_eq!(bodies(&again), ["1"]);
    stage.ack(&again[0]).await;
    assert_eq!(bodies(&stage.take(9).await), ["2"]);
}

/// Leased messages and dead letters stay.
async fn purge_removes_what_nobody_works_on(stage: Stage) {
    stage.put(&messages(["leased", "dead", "backoff"])).await;
    let taken = stage.take(3).await;
    stage.bury(&taken[1]).await;
    stage.retry(&taken[2], 50).await;
    stage
        .put(&[
            message("waiting"),
            message("delayed").due_in(9),
            message("g1").group("g"),
            message("g2").group("g"),
        ])
        .await;
    assert_eq!(stage.purge(3).await, 5);
    assert_eq!(stage.counts().await, [0, 0, 1, 1]);
    stage.ack(&taken[0]).await;
}

/// `more` says whether there is anything left.
async fn purge_takes_no_more_than_it_is_told(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let steps = [(2, true), (1, false), (0, false)];
    for (removed, more) in steps {
        let purged = stage.store.admin.purge(&stage.queue, count(2)).await;
        assert_eq!(purged.expect("purge"), Purged { removed, more });
    }
}

/// What vanished workers had goes too, and its group goes on.
async fn purge_takes_messages_whose_lease_ended(stage: Stage) {
    stage
        .put(&[message("a"), message("g1").group("g"), message("b")])
        .await;
    let taken = stage.take(2).await;
    stage.advance(LEASE / 2);
    let held = stage.take_one().await;
    stage.advance(LEASE / 2);
    assert_eq!(stage.purge(1).await, 2);
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
    for gone in &taken {
        let late = stage.settle(gone, Disposition::Ack).await;
        assert_eq!(late, Settled::LeaseLost);
    }
    stage.ack(&held).await;
    stage.put(&[message("g2").group("g")]).await;
    assert_eq!(bodies(&stage.take(9).await), ["g2"]);
}

/// Of one receive, that brought one again and one for the first time, half was acked late.
async fn purge_takes_what_a_late_ack_left(stage: Stage) {
    stage.put(&messages(["again"])).await;
    stage.take_one().await;
    stage.put(&messages(["new"])).await;
    stage.advance(LEASE);
    let taken = stage.take(2).await;
    assert_eq!(taken.len(), 2);
    stage.advance(LEASE);
    let again = taken.iter().find(|one| one.attempt == 2);
    stage.ack(again.expect("the first one")).await;
    assert_eq!(stage.purge(10).await, 1);
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
}

/// A call has as many ids as a batch may have.
async fn too_many_ids_are_refused(stage: Stage) {
    let new = message("a");
    stage.put(std::slice::from_ref(&new)).await;
    let max = stage.store.queues.limits().batch_max.get() as usize;
    let many = vec![new.id; max + 1];
    let admin = &stage.store.admin;
    for answer in [
        admin.cancel(&stage.queue, &many).await,
        admin.redrive(&stage.queue, &many).await,
        admin.discard(&stage.queue, &many).await,
        admin.reschedule(&stage.queue, &many, Due::NOW).await,
    ] {
        assert_eq!(refused(answer).kind(), StoreErrorKind::TooLarge);
    }
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}
