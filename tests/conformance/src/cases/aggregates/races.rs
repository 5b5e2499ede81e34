//! Many at once.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::{Appended, Fate, Settled};
use tokio::task::JoinSet;

use crate::Stage;
use crate::case::cases;
use crate::collecting::{of_size, orders, part};
use crate::stage::count;

cases! { "aggregate_races";
    21 of_concurrent_repeats_one_is_stored,
    23 concurrent_writers_and_closers_lose_and_double_nothing,
}

async fn of_concurrent_repeats_one_is_stored(stage: Stage) {
    let one = part("ann", "1");
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let (store, one) = (stage.subject.reopen().await, one.clone());
        calls.spawn(async move {
            let aggregates = store.aggregates().expect("the store has them").clone();
            let answer = aggregates.append(orders(), &of_size(9), &[one]).await;
            answer.expect("append").outcomes
        });
    }
    let outcomes: Vec<_> = calls.join_all().await.concat();
    let stored = outcomes.iter().filter(|one| **one == Appended::Stored);
    assert_eq!(stored.count(), 1, "{outcomes:?}");
    assert_eq!(stage.numbers().await.accepted, 1);
}

/// Four writers over eight keys, three closers: each part is in one released epoch.
async fn concurrent_writers_and_closers_lose_and_double_nothing(stage: Stage) {
    const PARTS: usize = 240;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let store = stage.subject.reopen().await;
        writers.spawn(async move {
            let aggregates = store.aggregates().expect("the store has them").clone();
            for n in 0..PARTS / 4 / 6 {
                let parts: Vec<_> = (0..6)
                    .map(|i| part(&format!("k{}", (n + i) % 8), &format!("{writer}-{n}-{i}")))
                    .collect();
                let answer = aggregates.append(orders(), &of_size(5), &parts).await;
                answer.expect("append");
            }
        });
    }
    let mut closers = JoinSet::new();
    for _ in 0..3 {
        let store = stage.subject.reopen().await;
        closers.spawn(async move {
            let aggregates = store.aggregates().expect("the store has them").clone();
            let mut seen = Vec::new();
            let turn = longshore_core::Turn {
                max: count(4),
                lease: crate::collecting::TURN_LEASE,
            };
            for _ in 0..60 {
                let turned = aggregates.turn(orders(), turn).await.expect("turn");
                for closed in turned.closed {
                    let (key, epoch) = (closed.info.key, closed.info.epoch);
                    let page = aggregates.parts(orders(), &key, epoch, None, count(100));
                    let page = page.await.expect("parts");
                    assert_eq!(page.items.len(), 5);
                    let done = [(closed.receipt, Fate::Released)];
                    let settled = aggregates.finish(orders(), &done).await;
                    assert_eq!(settled.expect("finish"), [Settled::Applied]);
                    let ids: Vec<_> = page.items.iter().map(longshore_core::Part::id).collect();
                    seen.push(((key, epoch), ids));
                }
                tokio::task::yield_now().await;
            }
            seen
        });
    }
    writers.join_all().await;
    let mut released: Vec<_> = closers.join_all().await.concat();
    for closed in stage.closed().await {
        let (key, epoch) = (closed.info.key.clone(), closed.info.epoch);
        let aggregates = stage.aggregates();
        let page = aggregates.parts(orders(), &key, epoch, None, count(100));
        let ids = page.await.expect("parts").items;
        released.push((
            (key, epoch),
            ids.iter().map(longshore_core::Part::id).collect(),
        ));
        assert_eq!(
            stage.finish(&closed, Fate::Released).await,
            Settled::Applied
        );
    }
    let epochs: BTreeMap<_, _> = released.iter().cloned().collect();
    assert_eq!(epochs.len(), released.len(), "an epoch came twice");
    let ids: BTreeSet<_> = epochs.values().flatten().collect();
    assert_eq!(ids.len(), epochs.len() * 5, "a part came twice");
    let numbers = stage.numbers().await;
    assert_eq!(numbers.accepted, PARTS as u64);
    assert_eq!(numbers.released, ids.len() as u64);
    assert_eq!(numbers.released + numbers.open, PARTS as u64);
}
