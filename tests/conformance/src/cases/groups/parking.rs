//! Groups that are held by a dead member.

use longshore_core::{Changed, NewMessage, OnGroupDead, SettingsChange};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, messages, secs};
use crate::stage::bodies;

cases! { "parking";
    8 a_parked_group_is_held,
    8 other_groups_go_on_while_one_is_parked,
    8 what_is_enqueued_later_is_held_too,
    8 a_delayed_member_that_falls_due_is_held_too,
    8 the_parked_member_redriven_is_the_head,
    8 the_parked_member_discarded_lets_the_next_go_on,
    8 a_redriven_member_that_did_not_park_joins_the_tail,
    8 redriving_another_member_does_not_free_the_group,
    8 a_held_group_can_be_purged_and_stays_held,
    8 expiry_never_parks_a_group,
    8 parking_a_message_without_a_group_is_just_a_dead_letter,
    8 another_handle_sees_the_group_held,
}

async fn parked(stage: &Stage) -> Vec<NewMessage> {
    let batch: Vec<_> = messages(["a", "b", "c"])
        .into_iter()
        .map(|new| new.group("g"))
        .collect();
    stage.put(&batch).await;
    let head = stage.take_one().await;
    stage.park(&head).await;
    batch
}

/// No member is handed out while a dead one holds the group.
async fn a_parked_group_is_held(stage: Stage) {
    let batch = parked(&stage).await;
    stage.nothing().await;
    stage.advance(secs(100_000));
    stage.nothing().await;
    assert_eq!(stage.counts().await, [2, 0, 0, 1]);
    assert_eq!(stage.stats().await.parked, 1);
    let dead = stage.found(batch[0].id).await;
    assert!(dead.dead().is_some_and(|mark| mark.parks_group));
}

/// It costs nobody else anything.
async fn other_groups_go_on_while_one_is_parked(stage: Stage) {
    parked(&stage).await;
    stage.put(&[message("h").group("h"), message("x")]).await;
    assert_eq!(bodies(&stage.take(9).await), ["h", "x"]);
}

/// The group is held, not only who was in it.
async fn what_is_enqueued_later_is_held_too(stage: Stage) {
    let batch = parked(&stage).await;
    for new in &batch[1..] {
        assert_eq!(stage.cancel(new.id).await, Changed::Applied);
    }
    stage.put(&[message("d").group("g")]).await;
    stage.nothing().await;
    assert_eq!(stage.counts().await, [1, 0, 0, 1]);
}

/// A due time does not free a group.
async fn a_delayed_member_that_falls_due_is_held_too(stage: Stage) {
    stage.put(&[message("late").group("g").due_in(5)]).await;
    parked(&stage).await;
    stage.advance(secs(5));
    stage.nothing().await;
    assert_eq!(stage.counts().await, [3, 0, 0, 1]);
}

/// Redriven, it is handed out before all others of its group, which then go on.
async fn the_parked_member_redriven_is_the_head(stage: Stage) {
    let batch = parked(&stage).await;
    stage.advance(secs(60));
    stage.redrive(batch[0].id).await;
    for body in ["a", "b", "c"] {
        let taken = stage.take(9).await;
        assert_eq!(bodies(&taken), [body]);
        assert_eq!(taken[0].attempt, 1);
        stage.ack(&taken[0]).await;
    }
    assert_eq!(stage.stats().await.parked, 0);
}

/// Discarding says that the group shall go on without it.
async fn the_parked_member_discarded_lets_the_next_go_on(stage: Stage) {
    let batch = parked(&stage).await;
    assert_eq!(stage.discard(batch[0].id).await, Changed::Applied);
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
    assert_eq!(stage.counts().await, [1, 0, 1, 0]);
}

/// The group went on without it, so it comes last.
async fn a_redriven_member_that_did_not_park_joins_the_tail(stage: Stage) {
    let batch: Vec<_> = messages(["a", "b", "c"])
        .into_iter()
        .map(|new| new.group("g"))
        .collect();
    stage.put(&batch).await;
    let head = stage.take_one().await;
    stage.bury(&head).await;
    stage.redrive(batch[0].id).await;
    for body in ["b", "c", "a"] {
        let taken = stage.take(9).await;
        assert_eq!(bodies(&taken), [body]);
        stage.ack(&taken[0]).await;
    }
}

/// Only the id that holds it frees a group.
async fn redriving_another_member_does_not_free_the_group(stage: Stage) {
    stage.put(&[message("first").group("g")]).await;
    let first = stage.take_one().await;
    stage.bury(&first).await;
    parked(&stage).await;
    stage.redrive(first.message.id).await;
    stage.nothing().await;
    assert_eq!(stage.counts().await, [3, 0, 0, 1]);
}

/// A purge takes the waiting members; the dead one still holds the group.
async fn a_held_group_can_be_purged_and_stays_held(stage: Stage) {
    let batch = parked(&stage).await;
    assert_eq!(stage.purge(10).await, 2);
    stage.put(&[message("d").group("g")]).await;
    stage.nothing().await;
    stage.discard(batch[0].id).await;
    assert_eq!(bodies(&stage.take(9).await), ["d"]);
}

/// Whatever the queue says about dead members, one that expired is not worth a stop.
async fn expiry_never_parks_a_group(stage: Stage) {
    stage
        .configure(SettingsChange {
            on_group_dead: Some(OnGroupDead::Park),
            ..SettingsChange::default()
        })
        .await;
    let batch = [
        message("a").group("g").expires_in(5),
        message("b").group("g"),
    ];
    stage.put(&batch).await;
    stage.advance(secs(5));
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
    assert_eq!(stage.stats().await.parked, 0);
}

/// Where there is no group there is nothing to hold.
async fn parking_a_message_without_a_group_is_just_a_dead_letter(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let taken = stage.take_one().await;
    stage.park(&taken).await;
    let dead = stage.found(taken.message.id).await;
    assert!(dead.dead().is_some_and(|mark| !mark.parks_group));
    assert_eq!(stage.stats().await.parked, 0);
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
}

/// Held is held in the store, not in a process.
async fn another_handle_sees_the_group_held(stage: Stage) {
    let batch = parked(&stage).await;
    let other = stage.subject.reopen().await;
    assert!(stage.take_at(&other, 9).await.is_empty());
    let redriven = other.admin.redrive(&stage.queue, &[batch[0].id]).await;
    assert_eq!(redriven.expect("redrive"), [Changed::Applied]);
    assert_eq!(bodies(&stage.take(9).await), ["a"]);
}
