//! An owner delivers a message again while another process writes about the delivery before.

use std::time::Duration;

use longshore_core::{Disposition, QueueSettings, Settled, Timestamp};

use super::backlog::{Backlog, LEASE, dead_lettered, retry};
use crate::protocol::event::{Event, Why};
use crate::protocol::receipt::DeliveryTag;
use crate::settle::unowned;
use crate::shard::Shard;

/// One message whose lease has ended.
async fn ended(backlog: &mut Backlog) -> (Shard, DeliveryTag) {
    backlog.store(1, 1, None).await;
    let mut shard = backlog.take_over().await;
    let taken = backlog.receive(&mut shard, 1).await;
    backlog.wait(LEASE + Duration::from_millis(1));
    (
        shard,
        DeliveryTag::of(&taken[0].receipt).expect("a receipt"),
    )
}

async fn extended(backlog: &Backlog, tag: &DeliveryTag) -> Settled {
    let extended = unowned::extend(&*backlog.storage, tag, LEASE, backlog.now);
    extended.await.expect("an answer")
}

async fn settled(backlog: &Backlog, tag: &DeliveryTag, how: &Disposition) -> Settled {
    let settings = QueueSettings::default();
    let rows = &*backlog.storage;
    let settled = unowned::settle(rows, tag, how, &settings, backlog.now, 1);
    settled.await.expect("an answer")
}

#[tokio::test]
async fn what_was_extended_meanwhile_is_not_handed_out() {
    let mut backlog = Backlog::new();
    let (mut shard, tag) = ended(&mut backlog).await;
    let until = backlog.now.plus(LEASE);
    let extension = Event::Extended { until }.row(tag.position, tag.serial);
    backlog.storage.meanwhile(tag.bucket, extension);
    assert!(backlog.receive(&mut shard, 1).await.is_empty());
    // The process that extends it from now on is told.
    assert_eq!(extended(&backlog, &tag).await, Settled::LeaseLost);
    backlog.wait(LEASE + Duration::from_millis(1));
    let again = backlog.receive(&mut shard, 1).await;
    assert_eq!(again[0].attempt, 3);
}

#[tokio::test]
async fn what_died_or_was_done_meanwhile_is_not_handed_out() {
    for is_done in [true, false] {
        let mut backlog = Backlog::new();
        let (mut shard, tag) = ended(&mut backlog).await;
        let event = if is_done {
            let (why, known_until) = (Why::Acked, Timestamp::EPOCH);
            Event::Done { why, known_until }
        } else {
            let entry = shard.index.entries.values().next().expect("an entry");
            let how = dead_lettered(backlog.now, false);
            let state =
                crate::protocol::disposition::after(&entry.state, false, &how, backlog.now, 1);
            Event::Became(Box::new(state))
        };
        let event = event.row(tag.position, tag.serial);
        backlog.storage.meanwhile(tag.bucket, event);
        assert!(backlog.receive(&mut shard, 1).await.is_empty());
        backlog.wait(LEASE + Duration::from_millis(1));
        for mut shard in [shard, backlog.take_over().await] {
            assert!(backlog.receive(&mut shard, 1).await.is_empty());
            let dead = shard.index.entries.values().next();
            let is_dead = dead.is_some_and(|entry| entry.state.dead.is_some());
            assert_eq!(is_dead, !is_done);
        }
    }
}

#[tokio::test]
async fn whoever_was_overtaken_is_told() {
    for number in 0..3 {
        let mut backlog = Backlog::new();
        let (_shard, tag) = ended(&mut backlog).await;
        let until = backlog.now.plus(LEASE);
        let next = Event::Delivered { attempt: 2, until };
        let next = next.row(tag.position, tag.serial + 1);
        backlog.storage.meanwhile(tag.bucket, next);
        let told = match number {
            0 => extended(&backlog, &tag).await,
            1 => settled(&backlog, &tag, &dead_lettered(backlog.now, false)).await,
            _ => settled(&backlog, &tag, &retry(backlog.now, LEASE)).await,
        };
        assert_eq!(told, Settled::LeaseLost, "{number}");
    }
    // Nobody was quicker.
    let mut backlog = Backlog::new();
    let (mut shard, tag) = ended(&mut backlog).await;
    assert_eq!(extended(&backlog, &tag).await, Settled::Applied);
    assert!(backlog.receive(&mut shard, 1).await.is_empty());
    let told = settled(&backlog, &tag, &retry(backlog.now, Duration::ZERO)).await;
    assert_eq!(told, Settled::Applied);
}
