//! The head of a group: what keeps it, and what gives it up.

use longshore_core::{Changed, Disposition, Due};

use super::{grouped, work_off};
use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, secs};
use crate::settling::{dead_letter, release_in, retry_in};
use crate::stage::{LEASE, bodies};

cases! { "groups";
    8 a_retried_head_keeps_the_head,
    8 a_released_head_keeps_the_head,
    8 a_head_that_is_released_with_a_due_time_keeps_the_head,
    8 a_crashed_head_comes_back_first,
    8 a_dead_head_admits_its_successor,
    8 an_expired_head_admits_its_successor_in_the_same_receive,
    8 a_cancelled_head_admits_its_successor,
    8 a_head_cancelled_in_back_off_admits_its_successor,
    8 a_head_may_be_rescheduled_out_of_the_way,
    8 a_head_in_back_off_that_is_rescheduled_keeps_the_head,
    8 a_member_that_is_to_be_due_now_passes_none_that_fell_due,
    8 a_head_that_fell_due_unseen_and_is_to_be_due_now_keeps_the_head,
    3 a_stale_ack_of_the_head_admits_nobody,
    3 a_stale_dead_letter_of_the_head_admits_nobody,
}

/// While the head backs off the group waits, so that order holds across retries.
async fn a_retried_head_keeps_the_head(stage: Stage) {
    stage.put(&grouped("g", ["a", "b"])).await;
    let head = stage.take_one().await;
    stage.end(&head, retry_in(10)).await;
    assert_eq!(stage.counts().await, [1, 1, 0, 0]);
    stage.nothing().await;
    stage.advance(secs(10));
    let again = stage.take(9).await;
    assert_eq!(bodies(&again), ["a"]);
    stage.end(&again[0], retry_in(0)).await;
    assert_eq!(bodies(&stage.take(9).await), ["a"]);
}

/// A release loses no place to the next member.
async fn a_released_head_keeps_the_head(stage: Stage) {
    stage.put(&grouped("g", ["a", "b"])).await;
    let head = stage.take_one().await;
    stage.release(&head).await;
    assert_eq!(bodies(&stage.take(9).await), ["a"]);
}

/// The group waits with the head that was told to wait.
async fn a_head_that_is_released_with_a_due_time_keeps_the_head(stage: Stage) {
    stage.put(&grouped("g", ["a", "b"])).await;
    let head = stage.take_one().await;
    stage.end(&head, release_in(10)).await;
    stage.nothing().await;
    stage.advance(secs(10));
    let again = stage.take(9).await;
    assert_eq!(bodies(&again), ["a"]);
    assert_eq!(again[0].attempt, 1);
}

/// A lease that ends gives the group back to its head.
async fn a_crashed_head_comes_back_first(stage: Stage) {
    stage.put(&grouped("g", ["a", "b"])).await;
    stage.take_one().await;
    stage.advance(LEASE);
    let again = stage.take(9).await;
    assert_eq!(bodies(&again), ["a"]);
    assert_eq!(again[0].attempt, 2);
}

/// A dead letter leaves its group, and the group goes on.
async fn a_dead_head_admits_its_successor(stage: Stage) {
    stage.put(&grouped("g", ["a", "b"])).await;
    let head = stage.take_one().await;
    stage.bury(&head).await;
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
    assert_eq!(stage.stats().await.parked, 0);
}

/// The receive that finds the head expired hands out the next one.
async fn an_expired_head_admits_its_successor_in_the_same_receive(stage: Stage) {
    let mut batch = grouped("g", ["a", "b", "c"]);
    batch[0] = batch[0].clone().expires_in(5);
    batch[1] = batch[1].clone().expires_in(5);
    stage.put(&batch).await;
    stage.advance(secs(5));
    let received = stage.receive(9, LEASE).await;
    assert_eq!(bodies(&received.deliveries), ["c"]);
    assert_eq!(stage.counts().await, [0, 0, 1, 2]);
}

/// Cancelling the head is no reason for the group to stop.
async fn a_cancelled_head_admits_its_successor(stage: Stage) {
    let batch = grouped("g", ["a", "b"]);
    stage.put(&batch).await;
    assert_eq!(stage.cancel(batch[0].id).await, Changed::Applied);
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
}

/// Nor is cancelling it while it backs off.
async fn a_head_cancelled_in_back_off_admits_its_successor(stage: Stage) {
    stage.put(&grouped("g", ["a", "b"])).await;
    let head = stage.take_one().await;
    stage.end(&head, retry_in(1000)).await;
    assert_eq!(stage.cancel(head.message.id).await, Changed::Applied);
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
}

/// A member that was not begun and gets a later due time joins again when it falls due.
async fn a_head_may_be_rescheduled_out_of_the_way(stage: Stage) {
    let batch = grouped("g", ["a", "b"]);
    stage.put(&batch).await;
    let answer = stage.reschedule(batch[0].id, Due::In(secs(10))).await;
    assert_eq!(answer, Changed::Applied);
    assert_eq!(work_off(&stage).await, ["b"]);
    stage.advance(secs(10));
    assert_eq!(work_off(&stage).await, ["a"]);
}

/// A head that was begun keeps the head, whenever it is due.
async fn a_head_in_back_off_that_is_rescheduled_keeps_the_head(stage: Stage) {
    stage.put(&grouped("g", ["a", "b"])).await;
    let head = stage.take_one().await;
    stage.end(&head, retry_in(10)).await;
    let id = head.message.id;
    let answer = stage.reschedule(id, Due::In(secs(20))).await;
    assert_eq!(answer, Changed::Applied);
    stage.advance(secs(10));
    stage.nothing().await;
    stage.reschedule(id, Due::NOW).await;
    assert_eq!(bodies(&stage.take(9).await), ["a"]);
}

/// Those that fell due joined their group then, whether or not anybody looked.
async fn a_member_that_is_to_be_due_now_passes_none_that_fell_due(stage: Stage) {
    let mut batch = grouped("g", ["a", "b"]);
    for new in &mut batch {
        *new = new.clone().due_in(5);
    }
    stage.put(&batch).await;
    stage.advance(secs(5));
    let answer = stage.reschedule(batch[1].id, Due::NOW).await;
    assert_eq!(answer, Changed::Applied);
    assert_eq!(work_off(&stage).await, ["a"]);
    assert_eq!(work_off(&stage).await, ["b"]);
}

/// It was the first to fall due: there is nothing to change about its place.
async fn a_head_that_fell_due_unseen_and_is_to_be_due_now_keeps_the_head(stage: Stage) {
    let mut batch = grouped("g", ["second", "first"]);
    batch[0] = batch[0].clone().due_in(10);
    batch[1] = batch[1].clone().due_in(5);
    stage.put(&batch).await;
    stage.advance(secs(10));
    let answer = stage.reschedule(batch[1].id, Due::NOW).await;
    assert_eq!(answer, Changed::Applied);
    assert_eq!(work_off(&stage).await, ["first"]);
    assert_eq!(work_off(&stage).await, ["second"]);
}

/// Only the holder of the head can hand the group over.
async fn a_stale_ack_of_the_head_admits_nobody(stage: Stage) {
    stale_end_of_the_head(&stage, Disposition::Ack).await;
}

/// Giving up with an old receipt does not hand it over either.
async fn a_stale_dead_letter_of_the_head_admits_nobody(stage: Stage) {
    stale_end_of_the_head(&stage, dead_letter()).await;
}

async fn stale_end_of_the_head(stage: &Stage, fate: Disposition) {
    stage.put(&grouped("g", ["a", "b"])).await;
    let first = stage.take_one().await;
    stage.advance(LEASE);
    let second = stage.take_one().await;
    stage.settle(&first, fate).await;
    stage.nothing().await;
    stage.ack(&second).await;
    assert_eq!(work_off(stage).await, ["b"]);
}
