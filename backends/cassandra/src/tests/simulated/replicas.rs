//! The simulation is held to what a real cluster promises, and to what it does not.

use std::sync::Arc;

use longshore_core::Effect;
use uuid::Uuid;

use super::network::Network;
use super::process::Process;
use super::rows::Simulated;
use super::virtual_time::in_virtual_time;
use super::weather::STORM;
use crate::protocol::storage::{Bucket, Mark, Ownership, Storage, Stream};

const STREAM: Stream = Stream {
    queue: Uuid::nil(),
    shard: 0,
    kind: 0,
};

fn processes<const N: usize>(seed: u64) -> [Simulated; N] {
    let mut rng = fastrand::Rng::with_seed(seed);
    let network = Arc::new(Network::new(&mut rng));
    std::array::from_fn(|_| Simulated(Process::new(&network, &mut rng)))
}

/// How often a fault or a success of some kind was seen in all seeds.
#[derive(Debug, Default)]
struct Seen {
    acknowledged: u32,
    unknown_but_there: u32,
    unknown_and_gone: u32,
    refused: u32,
}

#[test]
fn a_write_that_was_acknowledged_is_in_every_later_read_and_an_unknown_one_may_be() {
    let mut seen = Seen::default();
    for seed in 0..200 {
        in_virtual_time(async {
            let [writer, reader] = processes::<2>(seed);
            for number in 0_i64.. {
                // In a partition of its own.
                let stream = Stream {
                    queue: Uuid::from_u128(u128::from(number.unsigned_abs())),
                    ..STREAM
                };
                let written = writer.register(Bucket { stream, number }).await;
                let there = loop {
                    if let Ok(rows) = reader.buckets(stream, number).await {
                        break !rows.is_empty();
                    }
                };
                match written {
                    Ok(()) => {
                        assert!(there, "seed {seed}: write {number} was acknowledged");
                        seen.acknowledged += 1;
                    }
                    Err(error) if error.effect() == Effect::NotApplied => {
                        assert!(!there, "seed {seed}: write {number} had no effect");
                        seen.refused += 1;
                    }
                    Err(_) if there => seen.unknown_but_there += 1,
                    Err(_) => seen.unknown_and_gone += 1,
                }
                if writer.0.network.elapsed() > STORM {
                    break;
                }
            }
        });
    }
    assert!(seen.acknowledged > 1000, "{seen:?}");
    let others = [seen.refused, seen.unknown_and_gone, seen.unknown_but_there];
    assert!(others.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn a_mark_never_falls_and_is_read_where_it_was_raised() {
    for seed in 0..60 {
        in_virtual_time(async {
            let [a, b] = processes::<2>(seed);
            let raise = async |rows: &Simulated, odd: i64| {
                let mut last = 0;
                for step in 0..200 {
                    let to = 2 * step + odd;
                    let raised = rows.raise(STREAM, Mark::Closed, to).await;
                    if let Ok(marks) = rows.marks(STREAM).await {
                        assert!(marks.closed_to >= last, "seed {seed}: it fell");
                        assert!(
                            raised.is_err() || marks.closed_to >= to,
                            "seed {seed}: not raised"
                        );
                        last = marks.closed_to;
                    }
                }
            };
            futures_util::future::join(raise(&a, 0), raise(&b, 1)).await;
        });
    }
}

/// Both claim the same stripe again and again; who reads back serially that it owns the stripe
/// under an epoch is the only one who ever does.
#[test]
fn an_epoch_has_one_owner_whatever_became_of_the_transactions() {
    let mut claimed_in_doubt = 0;
    for seed in 0..60 {
        in_virtual_time(async {
            let owners = std::cell::RefCell::new(std::collections::BTreeMap::new());
            let doubts = std::cell::Cell::new(0);
            let [a, b] = processes::<2>(seed);
            let claim = async |rows: &Simulated, me: Uuid| {
                let mut known = Ownership::default();
                for _ in 0..100 {
                    let applied = rows.own(1, known, Some(me)).await;
                    let Ok(now) = rows.owner(1).await else {
                        continue;
                    };
                    known = now;
                    let Some(owner) = now.owner else { continue };
                    let first = *owners.borrow_mut().entry(now.epoch).or_insert(owner);
                    assert_eq!(
                        first, owner,
                        "seed {seed}: two owners in epoch {}",
                        now.epoch
                    );
                    if applied.is_err() && owner == me {
                        doubts.set(doubts.get() + 1);
                    }
                }
            };
            let (me, you) = (Uuid::from_u128(1), Uuid::from_u128(2));
            futures_util::future::join(claim(&a, me), claim(&b, you)).await;
            claimed_in_doubt += doubts.get();
        });
    }
    assert!(claimed_in_doubt > 10, "{claimed_in_doubt}");
}
