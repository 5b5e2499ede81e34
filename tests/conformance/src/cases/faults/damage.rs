//! Rows that cannot be read: damaged ones and those of a newer version.

use longshore_core::wire::{encode, encode_newer};
use longshore_core::{
    Adopted, Changed, Content, DeadReason, Disposition, NewMessage, OnGroupDead, SettingsChange,
    Settled,
};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, just_before, message, messages, secs};
use crate::stage::{LEASE, bodies, name};

cases! { "damage";
    11 a_damaged_body_is_found_and_moved_to_the_dead_letters,
    11 a_damaged_head_is_found_and_moved_to_the_dead_letters,
    11 the_raw_bytes_of_a_damaged_row_are_kept,
    11 damaged_rows_do_not_block_those_behind,
    11 a_damaged_head_admits_its_successor_and_never_parks,
    11 a_damaged_row_cannot_be_redriven,
    11 a_damaged_row_can_be_discarded,
    11 a_damaged_row_can_be_moved,
    11 a_newer_row_is_put_back_for_a_minute_and_counted,
    11 a_newer_row_is_never_charged_nor_dead,
    11 newer_rows_do_not_block_those_behind,
    11 a_newer_head_keeps_its_group_in_order,
    11 a_newer_row_may_be_cancelled_or_purged,
    10 no_header_steers_the_store,
}

/// What a disk may do to a row.
#[derive(Clone, Copy)]
enum Damage {
    Head,
    Body,
}

async fn plant_damaged(stage: &Stage, new: &NewMessage, damage: Damage) -> (Vec<u8>, Vec<u8>) {
    let message = new.stored_at(stage.now(), None);
    let mut head = encode(&message);
    let mut body = message.body.to_vec();
    match damage {
        Damage::Head => {
            let middle = head.len() / 2;
            head[middle] ^= 0x40;
        }
        Damage::Body => body[0] ^= 1,
    }
    let (queue, subject) = (&stage.queue, &stage.subject);
    subject.plant(queue, new, head.clone(), body.clone()).await;
    (head, body)
}

async fn plant_newer(stage: &Stage, new: &NewMessage) {
    let message = new.stored_at(stage.now(), None);
    let (queue, subject) = (&stage.queue, &stage.subject);
    let head = encode_newer(&message);
    subject.plant(queue, new, head, message.body.to_vec()).await;
}

async fn found_out(stage: &Stage, damage: Damage) {
    let new = message("damaged");
    plant_damaged(stage, &new, damage).await;
    let received = stage.receive(9, LEASE).await;
    assert_eq!(received.deliveries, []);
    assert_eq!(received.set_aside, 1);
    let dead = stage.found(new.id).await;
    let mark = dead.dead().expect("it is dead");
    assert_eq!(mark.reason, DeadReason::Damaged);
    assert!(mark.error.is_some());
    assert_eq!(stage.counts().await, [0, 0, 0, 1]);
    assert_eq!(stage.receive(9, LEASE).await.set_aside, 0);
}

/// A flipped bit of the body is never handed out.
async fn a_damaged_body_is_found_and_moved_to_the_dead_letters(stage: Stage) {
    found_out(&stage, Damage::Body).await;
}

/// Nor is one of the head.
async fn a_damaged_head_is_found_and_moved_to_the_dead_letters(stage: Stage) {
    found_out(&stage, Damage::Head).await;
}

/// A person may still make something of them.
async fn the_raw_bytes_of_a_damaged_row_are_kept(stage: Stage) {
    let new = message("damaged");
    let (head, body) = plant_damaged(&stage, &new, Damage::Body).await;
    stage.nothing().await;
    let kept = stage.dead().await.remove(0).content;
    let (id, head, body) = (new.id, head.into(), body.into());
    assert_eq!(kept, Content::Damaged { id, head, body });
}

/// The same receive hands out what lies behind, and counts what it set aside.
async fn damaged_rows_do_not_block_those_behind(stage: Stage) {
    for _ in 0..3 {
        plant_damaged(&stage, &message("damaged"), Damage::Body).await;
    }
    stage.put(&messages(["good"])).await;
    let received = stage.receive(1, LEASE).await;
    assert_eq!(bodies(&received.deliveries), ["good"]);
    assert_eq!(received.set_aside, 3);
    assert_eq!(stage.counts().await, [0, 0, 1, 3]);
}

/// Damage says nothing about the group.
async fn a_damaged_head_admits_its_successor_and_never_parks(stage: Stage) {
    stage
        .configure(SettingsChange {
            on_group_dead: Some(OnGroupDead::Park),
            ..SettingsChange::default()
        })
        .await;
    plant_damaged(&stage, &message("a").group("g"), Damage::Head).await;
    stage.put(&[message("b").group("g")]).await;
    let received = stage.receive(9, LEASE).await;
    assert_eq!(bodies(&received.deliveries), ["b"]);
    assert_eq!(stage.stats().await.parked, 0);
}

/// There is no message to redrive.
async fn a_damaged_row_cannot_be_redriven(stage: Stage) {
    let new = message("damaged");
    plant_damaged(&stage, &new, Damage::Body).await;
    stage.nothing().await;
    let before = stage.found(new.id).await;
    assert_eq!(stage.try_redrive(new.id).await, Changed::Unreadable);
    assert_eq!(stage.found(new.id).await, before);
    stage.nothing().await;
}

/// It can be thrown away like any dead letter.
async fn a_damaged_row_can_be_discarded(stage: Stage) {
    let new = message("damaged");
    plant_damaged(&stage, &new, Damage::Body).await;
    stage.nothing().await;
    assert_eq!(stage.discard(new.id).await, Changed::Applied);
    assert!(stage.find(new.id).await.is_none());
}

/// A move leaves nothing behind, and makes nothing of it that it is not.
async fn a_damaged_row_can_be_moved(mut stage: Stage) {
    plant_damaged(&stage, &message("damaged"), Damage::Body).await;
    stage.nothing().await;
    let all = stage.export_in_pages(9).await;
    stage.queue = name("other");
    let adopted = stage.store.admin.adopt(&stage.queue, &all).await;
    assert_eq!(adopted.expect("adopt"), [Adopted::Stored]);
    assert_eq!(stage.dead().await, all);
}

/// Until the fleet is upgraded it waits, counted as what it is.
async fn a_newer_row_is_put_back_for_a_minute_and_counted(stage: Stage) {
    plant_newer(&stage, &message("newer")).await;
    assert_eq!(stage.receive(9, LEASE).await.set_aside, 1);
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    assert_eq!(stage.stats().await.set_aside, 1);
    assert_eq!(stage.receive(9, LEASE).await.set_aside, 0);
    stage.advance(just_before(secs(60)));
    assert_eq!(stage.receive(9, LEASE).await.set_aside, 0);
    stage.advance(secs(1));
    assert_eq!(stage.receive(9, LEASE).await.set_aside, 1);
}

/// However often it is looked at, it stays.
async fn a_newer_row_is_never_charged_nor_dead(stage: Stage) {
    let new = message("newer");
    plant_newer(&stage, &new).await;
    for _ in 0..10 {
        stage.nothing().await;
        stage.advance(secs(60));
    }
    let found = stage.found(new.id).await;
    assert_eq!(found.attempts, 0);
    assert!(matches!(found.content, Content::Damaged { .. }));
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}

/// The same receive hands out what lies behind.
async fn newer_rows_do_not_block_those_behind(stage: Stage) {
    for _ in 0..3 {
        plant_newer(&stage, &message("newer")).await;
    }
    stage.put(&messages(["good"])).await;
    let received = stage.receive(1, LEASE).await;
    assert_eq!(bodies(&received.deliveries), ["good"]);
    assert_eq!(received.set_aside, 3);
    stage.ack(&received.deliveries[0]).await;
}

/// Its group waits for a worker that can read it.
async fn a_newer_head_keeps_its_group_in_order(stage: Stage) {
    plant_newer(&stage, &message("a").group("g")).await;
    stage.put(&[message("b").group("g"), message("x")]).await;
    assert_eq!(bodies(&stage.take(9).await), ["x"]);
    stage.advance(secs(60));
    assert_eq!(stage.counts().await[3], 0);
    let received = stage.receive(9, LEASE).await;
    assert!(!bodies(&received.deliveries).contains(&"b".to_owned()));
}

/// Operators are not bound to what this build can read.
async fn a_newer_row_may_be_cancelled_or_purged(stage: Stage) {
    let new = message("newer");
    plant_newer(&stage, &new).await;
    plant_newer(&stage, &message("newer")).await;
    stage.nothing().await;
    assert_eq!(stage.cancel(new.id).await, Changed::Applied);
    assert_eq!(stage.purge(9).await, 1);
    assert_eq!(stage.stats().await.set_aside, 0);
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
}

/// Headers that look like control data are headers.
async fn no_header_steers_the_store(stage: Stage) {
    let names = [
        "attempt",
        "attempts",
        "due_at",
        "expires_at",
        "group",
        "id",
        "receipt",
        "lane",
        "longshore-attempt",
        "state",
    ];
    let mut new = message("a");
    for name in names {
        new = new.header(name, "99");
    }
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    assert_eq!((taken.attempt, taken.message.group.as_ref()), (1, None));
    assert_eq!(taken.message.headers, new.headers);
    assert_eq!(
        stage.settle(&taken, Disposition::Ack).await,
        Settled::Applied
    );
}
