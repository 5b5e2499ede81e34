//! Export and adopt: what a move and an import are made of.

use longshore_core::{Adopted, Changed, DeadReason, MessageState, QueueName, StoredMessage};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, given, message, messages, secs};
use crate::settling::{retry_in, with_checkpoint};
use crate::stage::{LEASE, bodies, ids, name};

cases! { "export_adopt";
    18 export_gives_all_but_leased_messages_live_ones_first,
    18 export_gives_messages_whose_lease_ended,
    18 pages_of_any_size_export_the_same,
    18 export_changes_nothing,
    18 an_adopted_message_keeps_everything,
    4 adopting_again_changes_nothing,
    4 a_dead_message_is_known_too,
    18 an_adopted_dead_letter_is_dead,
    8 an_adopted_parked_member_holds_its_group,
    8 groups_keep_their_order,
    8 a_group_with_a_delayed_member_keeps_its_order,
    8 a_retried_head_is_still_the_head,
    8 an_adopted_member_joins_its_group_when_it_falls_due,
    6 delayed_messages_keep_their_due_times,
    18 a_message_can_be_exported_into_the_queue_it_came_from,
    4 a_given_id_is_known_where_it_moved_to,
}

/// Exports the queue of a stage, in pages of two, and adopts it in another.
async fn copy(stage: &Stage, to: &QueueName) -> Vec<Adopted> {
    let all = stage.export_in_pages(2).await;
    adopt(stage, to, &all).await
}

async fn adopt(stage: &Stage, to: &QueueName, all: &[StoredMessage]) -> Vec<Adopted> {
    let adopted = stage.store.admin.adopt(to, all).await;
    adopted.expect("adopt")
}

async fn one_of_each(stage: &Stage) -> Vec<String> {
    stage.put(&messages(["dead", "backoff", "leased"])).await;
    let taken = stage.take(3).await;
    stage.bury(&taken[0]).await;
    stage.retry(&taken[1], 100).await;
    let batch = [message("waiting"), message("delayed").due_in(60)];
    stage.put(&batch).await;
    ["backoff", "delayed", "waiting", "dead"]
        .map(str::to_owned)
        .to_vec()
}

fn texts(all: &[StoredMessage]) -> Vec<String> {
    let text = |one: &StoredMessage| {
        let body = one.message().map(|message| message.body.clone());
        String::from_utf8_lossy(&body.unwrap_or_default()).into_owned()
    };
    all.iter().map(text).collect()
}

/// Dead letters come last; what a worker has follows when it comes back.
async fn export_gives_all_but_leased_messages_live_ones_first(stage: Stage) {
    let expected = one_of_each(&stage).await;
    let all = stage.export_in_pages(100).await;
    let mut live = texts(&all);
    let dead = live.split_off(3);
    live.sort();
    assert_eq!((&live[..], &dead[..]), (&expected[..3], &expected[3..]));
    let states: Vec<_> = all.iter().map(|one| one.state.as_str()).collect();
    assert_eq!(states.iter().filter(|state| **state == "dead").count(), 1);
}

/// Nobody hands them out while a queue is moved, so nobody else would bring them back.
async fn export_gives_messages_whose_lease_ended(mut stage: Stage) {
    stage.put(&messages(["late", "held"])).await;
    stage.receive(1, LEASE / 2).await;
    let held = stage.take_one().await;
    stage.mark_moving(Some("other")).await;
    stage.advance(LEASE / 2);
    let all = stage.export_in_pages(1).await;
    assert_eq!(texts(&all), ["late"]);
    assert_eq!((all[0].state.as_str(), all[0].attempts), ("waiting", 1));
    let other = name("other");
    assert_eq!(copy(&stage, &other).await, [Adopted::Stored]);
    assert_eq!(stage.cancel(all[0].id()).await, Changed::Applied);
    stage.ack(&held).await;
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
    stage.queue = other;
    assert_eq!(stage.take_one().await.attempt, 2);
}

/// A cursor leads from the live ones into the dead ones.
async fn pages_of_any_size_export_the_same(stage: Stage) {
    one_of_each(&stage).await;
    let all = stage.export_in_pages(100).await;
    for max in [1, 2, 3, 4] {
        assert_eq!(stage.export_in_pages(max).await, all, "pages of {max}");
    }
}

/// It only looks.
async fn export_changes_nothing(stage: Stage) {
    one_of_each(&stage).await;
    let before = stage.counts().await;
    stage.export_in_pages(1).await;
    assert_eq!(stage.counts().await, before);
    assert_eq!(bodies(&stage.take(9).await), ["waiting"]);
}

/// Id, headers, attempts, records, checkpoint and due time are as they were.
async fn an_adopted_message_keeps_everything(mut stage: Stage) {
    let new = given([7, 0, 255]).header("h", "v").dedup("k", 60);
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage
        .end(&taken, with_checkpoint(retry_in(30), b"half"))
        .await;
    let before = stage.found(new.id).await;
    stage.advance(secs(3));
    let other = name("other");
    assert_eq!(copy(&stage, &other).await, [Adopted::Stored]);
    stage.queue = other;
    assert_eq!(stage.found(new.id).await, before);
    stage.advance(secs(27));
    let taken = stage.take_one().await;
    assert_eq!((taken.attempt, taken.recorded_through), (2, 1));
    assert_eq!(taken.checkpoint.as_deref(), Some(&b"half"[..]));
    assert_eq!(Some(&taken.message), before.message());
}

/// A move that is run again after a crash doubles nothing.
async fn adopting_again_changes_nothing(mut stage: Stage) {
    one_of_each(&stage).await;
    let other = name("other");
    assert_eq!(copy(&stage, &other).await, [Adopted::Stored; 4]);
    assert_eq!(copy(&stage, &other).await, [Adopted::Known; 4]);
    stage.queue = other;
    assert_eq!(stage.counts().await, [1, 2, 0, 1]);
}

/// Also when it died in the meantime.
async fn a_dead_message_is_known_too(mut stage: Stage) {
    stage.put(&messages(["a"])).await;
    let all = stage.export_in_pages(9).await;
    stage.queue = name("other");
    adopt(&stage, &stage.queue, &all).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    let again = adopt(&stage, &stage.queue, &all).await;
    assert_eq!(again, [Adopted::Known]);
    assert_eq!(stage.counts().await, [0, 0, 0, 1]);
}

/// With reason, error and time of death, and it can be redriven there.
async fn an_adopted_dead_letter_is_dead(mut stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    let before = stage.dead().await;
    stage.advance(secs(50));
    let other = name("other");
    copy(&stage, &other).await;
    stage.queue = other;
    assert_eq!(stage.dead().await, before);
    let mark = before[0].dead().expect("it is dead");
    assert_eq!(mark.reason, DeadReason::Permanent);
    stage.nothing().await;
    stage.redrive(taken.message.id).await;
    assert_eq!(stage.take_one().await.attempt, 1);
}

/// A group that is held is held where it moved to.
async fn an_adopted_parked_member_holds_its_group(mut stage: Stage) {
    stage.put(&[message("a").group("g")]).await;
    let head = stage.take_one().await;
    stage.park(&head).await;
    let other = name("other");
    copy(&stage, &other).await;
    stage.queue = other;
    stage.put(&[message("b").group("g")]).await;
    stage.nothing().await;
    assert_eq!(stage.stats().await.parked, 1);
    stage.redrive(head.message.id).await;
    assert_eq!(bodies(&stage.take(9).await), ["a"]);
}

async fn work_off(stage: &Stage) -> Vec<String> {
    let mut order = Vec::new();
    loop {
        let taken = stage.take(1).await;
        let [one] = &taken[..] else {
            return order;
        };
        order.extend(bodies(&taken));
        stage.ack(one).await;
    }
}

/// The order inside a group survives pages.
async fn groups_keep_their_order(mut stage: Stage) {
    for body in ["a", "b", "c", "d", "e"] {
        stage.put(&[message(body).group("g")]).await;
        stage.advance(secs(1));
    }
    let other = name("other");
    copy(&stage, &other).await;
    stage.queue = other;
    assert_eq!(work_off(&stage).await, ["a", "b", "c", "d", "e"]);
}

/// The order of a group is that of its due times, there as here.
async fn a_group_with_a_delayed_member_keeps_its_order(mut stage: Stage) {
    stage.put(&[message("late").group("g").due_in(10)]).await;
    stage.put(&[message("a").group("g")]).await;
    stage.put(&[message("b").group("g")]).await;
    stage.advance(secs(11));
    stage.put(&[message("c").group("g")]).await;
    let other = name("other");
    copy(&stage, &other).await;
    stage.queue = other;
    assert_eq!(work_off(&stage).await, ["a", "b", "late", "c"]);
}

/// A head that backs off holds its group in the new place too.
async fn a_retried_head_is_still_the_head(mut stage: Stage) {
    stage
        .put(&[message("a").group("g"), message("b").group("g")])
        .await;
    let head = stage.take_one().await;
    stage.retry(&head, 20).await;
    let other = name("other");
    copy(&stage, &other).await;
    stage.queue = other;
    stage.nothing().await;
    stage.advance(secs(20));
    assert_eq!(work_off(&stage).await, ["a", "b"]);
}

/// Behind those that were due before it, however long ago it was adopted.
async fn an_adopted_member_joins_its_group_when_it_falls_due(mut stage: Stage) {
    stage.put(&[message("late").group("g").due_in(30)]).await;
    let other = name("other");
    copy(&stage, &other).await;
    stage.queue = other;
    stage.put(&[message("head").group("g")]).await;
    let head = stage.take_one().await;
    stage.advance(secs(20));
    stage.put(&[message("b").group("g")]).await;
    stage.advance(secs(20));
    stage.put(&[message("c").group("g")]).await;
    stage.ack(&head).await;
    assert_eq!(work_off(&stage).await, ["b", "late", "c"]);
}

/// A delay goes on, it does not start again.
async fn delayed_messages_keep_their_due_times(mut stage: Stage) {
    stage.put(&[message("a").due_in(100)]).await;
    stage.advance(secs(60));
    let other = name("other");
    copy(&stage, &other).await;
    stage.queue = other;
    assert_eq!(stage.counts().await, [0, 1, 0, 0]);
    stage.advance(secs(39));
    stage.nothing().await;
    stage.advance(secs(1));
    stage.take_one().await;
}

/// A backup can be read back: export, purge, adopt.
async fn a_message_can_be_exported_into_the_queue_it_came_from(stage: Stage) {
    let batch = messages(["a", "b", "c"]);
    stage.put(&batch).await;
    let all = stage.export_in_pages(2).await;
    assert_eq!(stage.purge(9).await, 3);
    let adopted = adopt(&stage, &stage.queue, &all).await;
    assert_eq!(adopted, [Adopted::Stored; 3]);
    assert_eq!(stage.export_in_pages(9).await, all);
    assert_eq!(bodies(&stage.take(9).await), ["a", "b", "c"]);
    assert_eq!(ids(&batch).len(), 3);
}

/// A producer that repeats a given id after a move is recognised at the new place.
async fn a_given_id_is_known_where_it_moved_to(mut stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    let other = name("other");
    copy(&stage, &other).await;
    assert_eq!(stage.cancel(new.id).await, Changed::Applied);
    stage.queue = other;
    let first = new.id;
    let again = stage.enqueue(&[new]).await;
    assert_eq!(again, [stage.repeat_of(first)]);
    assert_eq!(stage.found(first).await.state, MessageState::Waiting);
    assert_eq!(stage.take(9).await.len(), 1);
}
