//! Expiry: tested when a message would be handed out, and only then.

use longshore_core::{DeadReason, OnExpired, SettingsChange};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, MILLI, given, just_before, message, secs};
use crate::stage::{LEASE, bodies};

cases! { "expiry";
    6 an_expired_message_is_dead_before_receive_answers,
    6 a_message_is_handed_out_until_it_expires,
    6 nothing_expires_until_somebody_receives,
    6 expiry_is_tested_when_an_ended_lease_is_redelivered,
    6 expiry_is_tested_when_a_retry_is_redelivered,
    6 a_message_in_work_does_not_expire,
    6 a_queue_may_discard_what_expired,
    6 the_queue_sets_the_expiry_of_messages_without_one,
    6 expired_messages_do_not_hide_those_behind,
    6 a_redriven_message_does_not_expire_again,
    6 an_expired_given_id_is_known,
}

/// What expired goes to the dead letters with reason `expired`, and is not handed out.
async fn an_expired_message_is_dead_before_receive_answers(stage: Stage) {
    let new = message("a").expires_in(10);
    stage.put(std::slice::from_ref(&new)).await;
    stage.advance(secs(10));
    stage.nothing().await;
    assert_eq!(stage.counts().await, [0, 0, 0, 1]);
    let dead = stage.found(new.id).await;
    let mark = dead.dead().expect("it is dead");
    assert_eq!(mark.reason, DeadReason::Expired);
    assert!(mark.error.is_some() && !mark.parks_group);
    assert_eq!((dead.attempts, mark.dead_at), (0, stage.now()));
    assert_eq!(dead.message().map(|m| m.body.as_ref()), Some(&b"a"[..]));
}

/// Up to the last millisecond it is a message like any other.
async fn a_message_is_handed_out_until_it_expires(stage: Stage) {
    stage.put(&[message("a").expires_in(10)]).await;
    stage.advance(just_before(secs(10)));
    stage.take_one().await;
}

/// No sweeper moves messages behind one's back.
async fn nothing_expires_until_somebody_receives(stage: Stage) {
    stage.put(&[message("a").expires_in(10)]).await;
    stage.advance(secs(1000));
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}

/// A crash does not save a message from its expiry.
async fn expiry_is_tested_when_an_ended_lease_is_redelivered(stage: Stage) {
    stage.put(&[message("a").expires_in(10)]).await;
    let taken = stage.take_one().await;
    stage.advance(LEASE);
    stage.nothing().await;
    let dead = stage.found(taken.message.id).await;
    assert_eq!(dead.dead().map(|m| m.reason), Some(DeadReason::Expired));
    assert_eq!(dead.attempts, 1);
}

/// A back-off that lasts longer than the message is its end; its records are kept.
async fn expiry_is_tested_when_a_retry_is_redelivered(stage: Stage) {
    stage.put(&[message("a").expires_in(10)]).await;
    let taken = stage.take_one().await;
    stage.retry(&taken, 10).await;
    stage.advance(secs(10));
    stage.nothing().await;
    let dead = stage.found(taken.message.id).await;
    assert_eq!(dead.dead().map(|m| m.reason), Some(DeadReason::Expired));
    assert_eq!(dead.history.records().len(), 1);
}

/// Work that was begun in time may end late.
async fn a_message_in_work_does_not_expire(stage: Stage) {
    stage.put(&[message("a").expires_in(10)]).await;
    let taken = stage.take_one().await;
    stage.advance(secs(11));
    stage.nothing().await;
    stage.ack(&taken).await;
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
}

/// With `on_expired = discard` nothing is left.
async fn a_queue_may_discard_what_expired(stage: Stage) {
    stage
        .configure(SettingsChange {
            on_expired: Some(OnExpired::Discard),
            ..SettingsChange::default()
        })
        .await;
    let batch = [
        message("a").expires_in(10).group("g"),
        message("b").group("g"),
    ];
    stage.put(&batch).await;
    stage.advance(secs(10));
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
    assert!(stage.find(batch[0].id).await.is_none());
}

/// The setting of the queue counts from the enqueue; a message's own expiry wins over it.
async fn the_queue_sets_the_expiry_of_messages_without_one(stage: Stage) {
    stage
        .configure(SettingsChange {
            expires_ms: Some(10_000),
            ..SettingsChange::default()
        })
        .await;
    stage
        .put(&[message("short"), message("long").expires_in(60)])
        .await;
    stage.advance(secs(10));
    assert_eq!(bodies(&stage.take(9).await), ["long"]);
    assert_eq!(stage.dead().await.len(), 1);
}

/// A receive of one finds the one good message behind many expired ones.
async fn expired_messages_do_not_hide_those_behind(stage: Stage) {
    let mut batch: Vec<_> = (0..20).map(|_| message("old").expires_in(5)).collect();
    batch.push(message("good"));
    stage.put(&batch).await;
    stage.advance(secs(5) + MILLI);
    let received = stage.receive(1, LEASE).await;
    assert_eq!(bodies(&received.deliveries), ["good"]);
    assert_eq!(stage.counts().await, [0, 0, 1, 20]);
}

/// A redrive clears the expiry: the message is wanted again.
async fn a_redriven_message_does_not_expire_again(stage: Stage) {
    let new = message("a").expires_in(10);
    stage.put(std::slice::from_ref(&new)).await;
    stage.advance(secs(10));
    stage.nothing().await;
    stage.redrive(new.id).await;
    stage.advance(secs(1000));
    let taken = stage.take_one().await;
    assert_eq!((taken.message.id, taken.message.expires_at), (new.id, None));
}

/// An expired message keeps its id as a dead letter.
async fn an_expired_given_id_is_known(stage: Stage) {
    let new = given("a").expires_in(1);
    stage.put(std::slice::from_ref(&new)).await;
    stage.advance(secs(1));
    stage.nothing().await;
    let again = stage.enqueue(std::slice::from_ref(&new)).await;
    assert_eq!(again, [stage.repeat_of(new.id)]);
    stage.nothing().await;
}
