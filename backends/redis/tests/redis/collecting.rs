//! Aggregates where more than one plain server is asked.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use longshore_core::{
    AggregateKey, AggregateName, AggregateRules, Appended, Backend, Fate, NewPart, Settled,
    Timestamp, Turn,
};

use crate::servers::{Cluster, Watched};
use crate::stage::{given, open};

const MAX: NonZeroU32 = NonZeroU32::new(100).expect("100 is not zero");

fn orders() -> AggregateName {
    AggregateName::new("orders").expect("a name")
}

fn of_size(size: u32) -> AggregateRules {
    let mut rules = AggregateRules::default();
    rules.size = Some(size);
    rules
}

fn part(number: usize) -> NewPart {
    NewPart {
        key: AggregateKey::new(format!("key {}", number % 5)).expect("a key"),
        closing: false,
        position: Timestamp::EPOCH,
        message: given(&number.to_string()),
    }
}

/// Every call that a worker and a person make, over parts that fill their epochs of three.
pub(crate) async fn collect_and_release(store: &Backend, parts: usize) {
    let aggregates = store.aggregates().expect("aggregates");
    let name = orders();
    let batch: Vec<_> = (0..parts).map(part).collect();
    for some in batch.chunks(7) {
        let stored = aggregates.append(&name, &of_size(3), some).await;
        let stored = stored.expect("append").outcomes;
        assert!(stored.iter().all(|one| *one == Appended::Stored));
    }
    let turn = Turn {
        max: MAX,
        lease: Duration::from_secs(30),
    };
    let mut seen = BTreeSet::new();
    loop {
        let turned = aggregates.turn(&name, turn).await.expect("turn");
        for closed in turned.closed {
            let (key, epoch) = (&closed.info.key, closed.info.epoch);
            let page = aggregates.parts(&name, key, epoch, None, MAX).await;
            seen.extend(
                page.expect("parts")
                    .items
                    .iter()
                    .map(longshore_core::Part::id),
            );
            let done = [(closed.receipt, Fate::Released)];
            let settled = aggregates.finish(&name, &done).await.expect("finish");
            assert_eq!(settled, [Settled::Applied]);
        }
        if !turned.more {
            break;
        }
    }
    assert_eq!(seen.len(), parts);
    let listed = aggregates.list(None, MAX).await.expect("list").items;
    assert_eq!((listed[0].released, listed[0].open), (parts as u64, 0));
    let epochs = aggregates
        .epochs(&name, None, None, MAX)
        .await
        .expect("epochs");
    assert!(epochs.items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_an_aggregate_in_one_slot() {
    let cluster = Cluster::start().await;
    collect_and_release(&open(&cluster.url("partitions=8")).await, 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_loses_no_part_that_replicas_confirmed() {
    let mut watched = Watched::start().await;
    let store = open(&watched.url("ack=replicas:1&timeout=2s")).await;
    let aggregates = store.aggregates().expect("aggregates");
    let before = [part(0), part(5), part(10)];
    let rules = of_size(100);
    let stored = aggregates.append(&orders(), &rules, &before).await;
    assert_eq!(stored.expect("append").outcomes, [Appended::Stored; 3]);
    watched.servers[0].kill();
    longshore_conformance::until("the new primary answers", async || {
        aggregates
            .append(&orders(), &rules, &before)
            .await
            .is_ok_and(|again| {
                // It was confirmed before: each repeat must be known.
                assert_eq!(again.outcomes, [Appended::Duplicate; 3]);
                true
            })
    })
    .await;
    // Each connection finds out for itself.
    longshore_conformance::until("the epoch is seen", async || {
        let epochs = aggregates.epochs(&orders(), None, None, MAX).await;
        epochs.is_ok_and(|epochs| {
            assert_eq!(epochs.items[0].parts, 3);
            true
        })
    })
    .await;
}
