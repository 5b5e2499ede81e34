//! What a message keeps of lane, key, id, expiry and group whatever is done to it.

use longshore_core::{Changed, DeadReason, Due, Lane};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, given, message, messages, secs};
use crate::settling::{release_in, retry_in};
use crate::stage::{LEASE, bodies, name};

cases! { "kept";
    8 an_extended_head_holds_its_group,
    7 a_retried_message_keeps_its_lane,
    7 a_rescheduled_message_keeps_its_lane,
    7 a_redriven_message_keeps_its_lane,
    7 every_lane_can_be_cancelled_and_purged,
    7 an_adopted_message_keeps_its_lane,
    5 a_key_is_known_while_its_message_backs_off,
    5 a_key_is_known_where_its_message_moved_to,
    4 a_given_id_is_known_after_a_release,
    6 expiry_is_tested_when_a_release_is_redelivered,
    6 a_dead_letter_does_not_expire,
    6 what_expired_unseen_can_be_cancelled_and_purged,
    6 a_message_put_off_beyond_its_expiry_expires,
    6 an_adopted_message_expires_when_it_said,
    8 what_is_changed_behind_a_parked_head_stays_held,
}

/// However long it takes.
async fn an_extended_head_holds_its_group(stage: Stage) {
    let both = messages(["a", "b"]).into_iter().map(|new| new.group("g"));
    stage.put(&both.collect::<Vec<_>>()).await;
    let head = stage.take_one().await;
    for _ in 0..3 {
        stage.advance(secs(20));
        let queues = &stage.store.queues;
        let receipts = [head.receipt.clone()];
        let extended = queues.extend(&stage.queue, &receipts, LEASE);
        extended.await.expect("extend");
        stage.nothing().await;
    }
    stage.ack(&head).await;
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
}

/// One of each lane.
async fn one_of_each_lane(stage: &Stage) {
    let batch = Lane::ALL.map(|lane| message(lane.as_str()).lane(lane));
    stage.put(&batch).await;
}

/// The lanes of all that is there, each of which must be that of the body.
async fn lanes_are_those_of_the_bodies(stage: &Stage) {
    let all = stage.peek_in_pages(9).await;
    assert_eq!(all.len(), Lane::ALL.len());
    for one in all {
        let message = one.message().expect("it is intact");
        assert_eq!(message.lane.as_str().as_bytes(), &message.body[..]);
    }
}

/// It is tried again where it was.
async fn a_retried_message_keeps_its_lane(stage: Stage) {
    one_of_each_lane(&stage).await;
    for taken in stage.take(9).await {
        stage.end(&taken, retry_in(5)).await;
    }
    lanes_are_those_of_the_bodies(&stage).await;
    stage.advance(secs(5));
    assert_eq!(stage.take(9).await.len(), 3);
}

/// Sooner or later.
async fn a_rescheduled_message_keeps_its_lane(stage: Stage) {
    one_of_each_lane(&stage).await;
    for one in stage.peek_in_pages(9).await {
        let put_off = stage.reschedule(one.id(), Due::In(secs(50))).await;
        assert_eq!(put_off, Changed::Applied);
    }
    lanes_are_those_of_the_bodies(&stage).await;
}

/// Though dead letters have one list.
async fn a_redriven_message_keeps_its_lane(stage: Stage) {
    one_of_each_lane(&stage).await;
    for taken in stage.take(9).await {
        stage.bury(&taken).await;
    }
    for dead in stage.dead().await {
        stage.redrive(dead.id()).await;
    }
    lanes_are_those_of_the_bodies(&stage).await;
}

/// None is passed over.
async fn every_lane_can_be_cancelled_and_purged(stage: Stage) {
    one_of_each_lane(&stage).await;
    for one in stage.peek_in_pages(9).await {
        assert_eq!(stage.cancel(one.id()).await, Changed::Applied);
    }
    assert_eq!(stage.counts().await, [0; 4]);
    one_of_each_lane(&stage).await;
    assert_eq!(stage.purge(2).await, 3);
    stage.nothing().await;
}

/// In another queue, too.
async fn an_adopted_message_keeps_its_lane(mut stage: Stage) {
    one_of_each_lane(&stage).await;
    let all = stage.export_in_pages(2).await;
    stage.queue = name("other");
    let adopted = stage.store.admin.adopt(&stage.queue, &all).await;
    adopted.expect("adopt");
    lanes_are_those_of_the_bodies(&stage).await;
}

/// A repeat is not worked beside it.
async fn a_key_is_known_while_its_message_backs_off(stage: Stage) {
    let first = message("a").dedup("k", 600);
    stage.put(std::slice::from_ref(&first)).await;
    let taken = stage.take_one().await;
    stage.end(&taken, retry_in(50)).await;
    let repeated = stage.enqueue(&[message("b").dedup("k", 600)]).await;
    let duplicate = longshore_core::Enqueued::Duplicate { first: first.id };
    assert_eq!(repeated, [duplicate]);
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
}

/// Until its window ends there as well.
async fn a_key_is_known_where_its_message_moved_to(mut stage: Stage) {
    let first = message("a").dedup("k", 600);
    stage.put(std::slice::from_ref(&first)).await;
    let all = stage.export_in_pages(9).await;
    stage.queue = name("other");
    let adopted = stage.store.admin.adopt(&stage.queue, &all).await;
    adopted.expect("adopt");
    stage.advance(secs(100));
    let repeated = stage.enqueue(&[message("b").dedup("k", 600)]).await;
    let duplicate = longshore_core::Enqueued::Duplicate { first: first.id };
    assert_eq!(repeated, [duplicate]);
}

/// A producer that sends it again gets the same answer.
async fn a_given_id_is_known_after_a_release(stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage.release(&taken).await;
    let repeat = stage.repeat_of(new.id);
    assert_eq!(stage.enqueue(std::slice::from_ref(&new)).await, [repeat]);
    assert_eq!(bodies(&stage.take(9).await), ["a"]);
}

/// To be given back does not make it last longer.
async fn expiry_is_tested_when_a_release_is_redelivered(stage: Stage) {
    stage.put(&[message("a").expires_in(10)]).await;
    let taken = stage.take_one().await;
    stage.end(&taken, release_in(10)).await;
    stage.advance(secs(10));
    stage.nothing().await;
    let dead = stage.found(taken.message.id).await;
    assert_eq!(dead.dead().map(|m| m.reason), Some(DeadReason::Expired));
}

/// It stays what it died of.
async fn a_dead_letter_does_not_expire(stage: Stage) {
    stage.put(&[message("a").expires_in(10)]).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    stage.advance(secs(1000));
    stage.nothing().await;
    let dead = stage.found(taken.message.id).await;
    assert_eq!(dead.dead().map(|m| m.reason), Some(DeadReason::Permanent));
}

/// It waits as far as anybody knows.
async fn what_expired_unseen_can_be_cancelled_and_purged(stage: Stage) {
    let both = [message("a").expires_in(10), message("b").expires_in(10)];
    stage.put(&both).await;
    stage.advance(secs(20));
    assert_eq!(stage.cancel(both[0].id).await, Changed::Applied);
    assert_eq!(stage.purge(9).await, 1);
    stage.nothing().await;
    assert_eq!(stage.counts().await, [0; 4]);
}

/// The expiry stands.
async fn a_message_put_off_beyond_its_expiry_expires(stage: Stage) {
    let new = message("a").expires_in(10);
    stage.put(std::slice::from_ref(&new)).await;
    let put_off = stage.reschedule(new.id, Due::In(secs(50))).await;
    assert_eq!(put_off, Changed::Applied);
    stage.advance(secs(50));
    stage.nothing().await;
    let dead = stage.found(new.id).await;
    assert_eq!(dead.dead().map(|m| m.reason), Some(DeadReason::Expired));
}

/// The time goes with it, not the span.
async fn an_adopted_message_expires_when_it_said(mut stage: Stage) {
    let new = message("a").expires_in(10);
    stage.put(std::slice::from_ref(&new)).await;
    stage.advance(secs(6));
    let all = stage.export_in_pages(9).await;
    stage.queue = name("other");
    let adopted = stage.store.admin.adopt(&stage.queue, &all).await;
    adopted.expect("adopt");
    stage.advance(secs(4));
    stage.nothing().await;
    let dead = stage.found(new.id).await;
    assert_eq!(dead.dead().map(|m| m.reason), Some(DeadReason::Expired));
}

/// Cancelled from the middle, or made due at once.
async fn what_is_changed_behind_a_parked_head_stays_held(stage: Stage) {
    let batch = [
        message("a").group("g"),
        message("b").group("g"),
        message("c").group("g").due_in(100),
    ];
    stage.put(&batch).await;
    let head = stage.take_one().await;
    stage.park(&head).await;
    assert_eq!(stage.cancel(batch[1].id).await, Changed::Applied);
    let now = Due::In(secs(0));
    assert_eq!(stage.reschedule(batch[2].id, now).await, Changed::Applied);
    stage.nothing().await;
    assert_eq!(stage.stats().await.parked, 1);
    stage.redrive(batch[0].id).await;
    let first = stage.take_one().await;
    assert_eq!(&first.message.body[..], b"a");
    stage.ack(&first).await;
    assert_eq!(bodies(&stage.take(9).await), ["c"]);
}
