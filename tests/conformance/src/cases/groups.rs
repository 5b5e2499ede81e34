//! Groups: one member at a time, in order, and at no cost to others.

pub(super) mod group_heads;
pub(super) mod parking;

use longshore_core::{Changed, Lane, MessageState, NewMessage};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, given, message, messages, secs};
use crate::settling::retry_in;
use crate::stage::bodies;

cases! { "groups";
    8 one_member_is_handed_out_at_a_time,
    8 members_follow_in_enqueue_order,
    8 an_ack_admits_the_successor_at_once,
    8 groups_do_not_hold_each_other_up,
    8 a_purge_leaves_no_group_behind,
    8 lanes_are_ignored_inside_a_group,
    8 a_delayed_member_joins_when_it_falls_due,
    8 a_delayed_member_that_fell_due_unseen_goes_before_a_later_one,
    8 a_delayed_member_holds_nobody_up,
    8 delayed_members_join_in_the_order_of_their_due_times,
    8 members_due_at_the_same_time_keep_the_enqueue_order,
    8 given_ids_decide_nothing_among_members_due_at_the_same_time,
    8 a_delayed_member_joins_behind_a_retried_head,
    8 a_member_may_be_cancelled_from_the_middle,
    8 another_handle_keeps_to_the_same_head,
    8 waiting_members_count_as_waiting,
    8 a_busy_group_does_not_hide_what_is_behind_it,
    8 a_group_that_ran_empty_begins_anew,
}

pub(super) fn grouped<const N: usize>(group: &str, bodies: [&str; N]) -> Vec<NewMessage> {
    let each = |new: NewMessage| new.group(group);
    messages(bodies).into_iter().map(each).collect()
}

/// Takes all that can be had, and acks it.
pub(super) async fn work_off(stage: &Stage) -> Vec<String> {
    let taken = stage.take(9).await;
    for one in &taken {
        stage.ack(one).await;
    }
    bodies(&taken)
}

/// However much is asked for, a group gives one message while none of it is settled.
async fn one_member_is_handed_out_at_a_time(stage: Stage) {
    stage.put(&grouped("g", ["a", "b", "c"])).await;
    assert_eq!(bodies(&stage.take(9).await), ["a"]);
    stage.nothing().await;
}

/// A group is worked in the order it was enqueued.
async fn members_follow_in_enqueue_order(stage: Stage) {
    stage.put(&grouped("g", ["a", "b", "c"])).await;
    stage.advance(secs(1));
    stage.put(&grouped("g", ["d"])).await;
    for body in ["a", "b", "c", "d"] {
        assert_eq!(work_off(&stage).await, [body]);
    }
    assert!(work_off(&stage).await.is_empty());
}

/// The next member is ready when the ack has answered.
async fn an_ack_admits_the_successor_at_once(stage: Stage) {
    stage.put(&grouped("g", ["a", "b"])).await;
    let head = stage.take_one().await;
    stage.nothing().await;
    stage.ack(&head).await;
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
}

/// Other groups and messages without one go on.
async fn groups_do_not_hold_each_other_up(stage: Stage) {
    stage.put(&grouped("g", ["g1", "g2"])).await;
    stage.put(&grouped("h", ["h1", "h2"])).await;
    stage.put(&messages(["x"])).await;
    let mut heads = bodies(&stage.take(9).await);
    heads.sort();
    assert_eq!(heads, ["g1", "h1", "x"]);
}

/// After a purge of all members a new one is the head.
async fn a_purge_leaves_no_group_behind(stage: Stage) {
    stage.put(&grouped("g", ["a", "b", "c"])).await;
    assert_eq!(stage.purge(2).await, 3);
    stage.put(&grouped("g", ["d"])).await;
    assert_eq!(bodies(&stage.take(9).await), ["d"]);
}

/// Order inside a group is worth more than priority.
async fn lanes_are_ignored_inside_a_group(stage: Stage) {
    let lanes = [Lane::Low, Lane::High, Lane::Normal];
    for (body, lane) in ["a", "b", "c"].into_iter().zip(lanes) {
        stage.put(&[message(body).group("g").lane(lane)]).await;
    }
    for body in ["a", "b", "c"] {
        assert_eq!(work_off(&stage).await, [body]);
    }
}

/// A member that was delayed takes its turn behind those that were due before it.
async fn a_delayed_member_joins_when_it_falls_due(stage: Stage) {
    stage.put(&[message("late").group("g").due_in(10)]).await;
    stage.put(&grouped("g", ["a", "b"])).await;
    assert_eq!(stage.counts().await, [2, 1, 0, 0]);
    stage.advance(secs(11));
    stage.put(&grouped("g", ["c"])).await;
    for body in ["a", "b", "late", "c"] {
        assert_eq!(work_off(&stage).await, [body]);
    }
}

/// It has its place from its due time on, whether or not anybody looked at the queue since.
async fn a_delayed_member_that_fell_due_unseen_goes_before_a_later_one(stage: Stage) {
    stage.put(&grouped("g", ["head"])).await;
    assert_eq!(work_off(&stage).await, ["head"]);
    stage.put(&[message("late").group("g").due_in(10)]).await;
    stage.nothing().await;
    stage.advance(secs(11));
    stage.put(&grouped("g", ["later"])).await;
    assert_eq!(work_off(&stage).await, ["late"]);
    assert_eq!(work_off(&stage).await, ["later"]);
}

/// Until it is due it is not in the way.
async fn a_delayed_member_holds_nobody_up(stage: Stage) {
    stage.put(&[message("late").group("g").due_in(10)]).await;
    stage.put(&grouped("g", ["a"])).await;
    assert_eq!(work_off(&stage).await, ["a"]);
    assert!(work_off(&stage).await.is_empty());
    stage.advance(secs(10));
    assert_eq!(work_off(&stage).await, ["late"]);
}

/// Among members that fell due while the group was busy, the due time decides.
async fn delayed_members_join_in_the_order_of_their_due_times(stage: Stage) {
    let delays = [("third", 30), ("first", 10), ("second", 20)];
    for (body, delay) in delays {
        stage.put(&[message(body).group("g").due_in(delay)]).await;
    }
    stage.advance(secs(60));
    for body in ["first", "second", "third"] {
        assert_eq!(work_off(&stage).await, [body]);
    }
}

/// Where due times are equal, the sequence decides.
async fn members_due_at_the_same_time_keep_the_enqueue_order(stage: Stage) {
    for body in ["a", "b", "c"] {
        stage.put(&[message(body).group("g").due_in(10)]).await;
    }
    stage.advance(secs(10));
    for body in ["a", "b", "c"] {
        assert_eq!(work_off(&stage).await, [body]);
    }
}

/// A head in back-off stays before a member that falls due meanwhile.
async fn a_delayed_member_joins_behind_a_retried_head(stage: Stage) {
    stage.put(&grouped("g", ["head"])).await;
    stage.put(&[message("late").group("g").due_in(10)]).await;
    let head = stage.take_one().await;
    stage.end(&head, retry_in(20)).await;
    stage.advance(secs(15));
    stage.nothing().await;
    stage.advance(secs(5));
    assert_eq!(work_off(&stage).await, ["head"]);
    assert_eq!(work_off(&stage).await, ["late"]);
}

/// Who waits behind the head can be cancelled without a trace.
async fn a_member_may_be_cancelled_from_the_middle(stage: Stage) {
    let batch = grouped("g", ["a", "b", "c"]);
    stage.put(&batch).await;
    assert_eq!(stage.cancel(batch[1].id).await, Changed::Applied);
    assert_eq!(work_off(&stage).await, ["a"]);
    assert_eq!(work_off(&stage).await, ["c"]);
}

/// Two processes cannot have two members of one group.
async fn another_handle_keeps_to_the_same_head(stage: Stage) {
    stage.put(&grouped("g", ["a", "b"])).await;
    let other = stage.subject.reopen().await;
    let head = stage.take_one().await;
    assert!(stage.take_at(&other, 9).await.is_empty());
    stage.ack(&head).await;
    assert_eq!(bodies(&stage.take_at(&other, 9).await), ["b"]);
    stage.nothing().await;
}

/// The place in line decides, whatever the ids are: here they fall and rise.
async fn given_ids_decide_nothing_among_members_due_at_the_same_time(stage: Stage) {
    let bodies: Vec<String> = (0..12).map(|number| format!("{number:02}")).collect();
    let falling = |number: u128| uuid::Uuid::from_u128(u128::MAX / 2 - number * (u128::MAX / 64));
    let rising = |number: u128| uuid::Uuid::from_u128(1 + number * (u128::MAX / 64));
    for (group, id) in [
        ("falling", &falling as &(dyn Fn(u128) -> _ + Sync)),
        ("rising", &rising),
    ] {
        for due_in in [0, 5] {
            let member = |(number, body): (u128, &String)| {
                let mut new = given(body).group(group).due_in(due_in);
                new.id = longshore_core::MessageId::from_uuid(id(number));
                new
            };
            let batch: Vec<_> = (0..).zip(&bodies).map(member).collect();
            stage.put(&batch).await;
            stage.advance(secs(due_in));
            let mut order = Vec::new();
            while order.len() < bodies.len() {
                order.extend(work_off(&stage).await);
            }
            assert_eq!(order, bodies, "{group}, due in {due_in} s");
            stage.advance(secs(3600));
        }
    }
}

/// Members that wait for their turn are waiting, as people see it.
async fn waiting_members_count_as_waiting(stage: Stage) {
    let batch = grouped("g", ["a", "b", "c"]);
    stage.put(&batch).await;
    stage.take_one().await;
    assert_eq!(stage.counts().await, [2, 0, 1, 0]);
    let found = stage.found(batch[2].id).await;
    assert_eq!(found.state, MessageState::Waiting);
}

/// One receive finds the message behind some thousand members of a busy group.
async fn a_busy_group_does_not_hide_what_is_behind_it(stage: Stage) {
    let max = stage.store.queues.limits().batch_max.get() as usize;
    let crowd: Vec<_> = (0..3000).map(|_| message("m").group("g")).collect();
    for batch in crowd.chunks(max) {
        stage.put(batch).await;
    }
    stage.put(&messages(["behind"])).await;
    assert_eq!(bodies(&stage.take(2).await), ["m", "behind"]);
}

/// Nothing is left of a group whose last member is done.
async fn a_group_that_ran_empty_begins_anew(stage: Stage) {
    for body in ["a", "b", "c"] {
        stage.put(&grouped("g", [body])).await;
        assert_eq!(work_off(&stage).await, [body]);
        stage.advance(secs(1));
    }
}
