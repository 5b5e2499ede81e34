//! An owner delivers a message again while another process writes about the delivery before.

use std::time::Duration;

use longshore_core::{Disposition, QueueSettings, Settled, Timestamp};

use super::backlog::{Backlog, LEASE, buried, retry};
use crate::protocol::event::{Fact, Why};
use crate::protocol::receipt::Slip;
use crate::settle::unowned;
use crate::shard::Shard;

/// One message whose lease has ended.
async fn ended(backlog: &mut Backlog) -> (Shard, Slip) {
    backlog.store(1, 1, None).await;
    let mut shard = backlog.take_over().await;
    let taken = backlog.receive(&mut shard, 1).await;
    backlog.wait(LEASE + Duration::from_millis(1));
    (shard, Slip::of(&taken[0].receipt).expect("a receipt"))
}

async fn extended(backlog: &Backlog, slip: &Slip) -> Settled {
    let extended = unowned::extend(&*backlog.rows, slip, LEASE, backlog.now);
    extended.await.expect("an answer")
}

async fn settled(backlog: &Backlog, slip: &Slip, how: &Disposition) -> Settled {
    let settings = QueueSettings::default();
    let rows = &*backlog.rows;
    let settled = unowned::settle(rows, slip, how, &settings, backlog.now, 1);
    settled.await.expect("an answer")
}

#[tokio::test]
async fn what_was_extended_meanwhile_is_not_handed_out() {
    let mut backlog = Backlog::new();
    let (mut shard, slip) = ended(&mut backlog).await;
    let until = backlog.now.plus(LEASE);
    let extension = Fact::Extended { until }.row(slip.spot, slip.serial);
    backlog.rows.meanwhile(slip.bucket, extension);
    assert!(backlog.receive(&mut shard, 1).await.is_empty());
    // Whoever extends it from now on is told.
    assert_eq!(extended(&backlog, &slip).await, Settled::LeaseLost);
    backlog.wait(LEASE + Duration::from_millis(1));
    let again = backlog.receive(&mut shard, 1).await;
    assert_eq!(again[0].attempt, 3);
}

#[tokio::test]
async fn what_died_or_was_done_meanwhile_is_not_handed_out() {
    for is_done in [true, false] {
        let mut backlog = Backlog::new();
        let (mut shard, slip) = ended(&mut backlog).await;
        let fact = if is_done {
            let (why, known_until) = (Why::Acked, Timestamp::EPOCH);
            Fact::Done { why, known_until }
        } else {
            let entry = shard.model.entries.values().next().expect("an entry");
            let how = buried(backlog.now, false);
            let state =
                crate::protocol::disposition::after(&entry.state, false, &how, backlog.now, 1);
            Fact::Became(Box::new(state))
        };
        let fact = fact.row(slip.spot, slip.serial);
        backlog.rows.meanwhile(slip.bucket, fact);
        assert!(backlog.receive(&mut shard, 1).await.is_empty());
        backlog.wait(LEASE + Duration::from_millis(1));
        for mut shard in [shard, backlog.take_over().await] {
            assert!(backlog.receive(&mut shard, 1).await.is_empty());
            let dead = shard.model.entries.values().next();
            let is_dead = dead.is_some_and(|entry| entry.state.dead.is_some());
            assert_eq!(is_dead, !is_done);
        }
    }
}

#[tokio::test]
async fn whoever_was_overtaken_is_told() {
    for number in 0..3 {
        let mut backlog = Backlog::new();
        let (_shard, slip) = ended(&mut backlog).await;
        let until = backlog.now.plus(LEASE);
        let next = Fact::Delivered { attempt: 2, until };
        let next = next.row(slip.spot, slip.serial + 1);
        backlog.rows.meanwhile(slip.bucket, next);
        let told = match number {
            0 => extended(&backlog, &slip).await,
            1 => settled(&backlog, &slip, &buried(backlog.now, false)).await,
            _ => settled(&backlog, &slip, &retry(backlog.now, LEASE)).await,
        };
        assert_eq!(told, Settled::LeaseLost, "{number}");
    }
    // Nobody was quicker.
    let mut backlog = Backlog::new();
    let (mut shard, slip) = ended(&mut backlog).await;
    assert_eq!(extended(&backlog, &slip).await, Settled::Applied);
    assert!(backlog.receive(&mut shard, 1).await.is_empty());
    let told = settled(&backlog, &slip, &retry(backlog.now, Duration::ZERO)).await;
    assert_eq!(told, Settled::Applied);
}
