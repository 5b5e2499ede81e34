//! A process takes over a queue of which it keeps the first messages only.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use longshore_cassandra::CassandraStore;
use longshore_core::{
    Disposition, IdOrigin, JobKind, MessageId, NewMessage, QueueName, QueueStore as _, Receipt,
    Receive, Settled, Settlement,
};
use uuid::Uuid;

use super::stage::Stage;

/// More than an owner keeps of ready messages.
const WAITING: usize = 11_000;
/// Behind them.
const HELD: usize = 30;
const LEASE: Duration = Duration::from_secs(600);

fn queue() -> QueueName {
    QueueName::new("q").expect("a name")
}

async fn fill(store: &CassandraStore) {
    let kind = JobKind::new("job").expect("a kind");
    let new = |number: usize| {
        let id = MessageId::from_uuid(Uuid::from_u128(number as u128));
        NewMessage::new(id, IdOrigin::Fresh, kind.clone(), Bytes::new())
    };
    let all: Vec<_> = (1..=WAITING + HELD).map(new).collect();
    for batch in all.chunks(1000) {
        store.enqueue(&queue(), batch).await.expect("enqueue");
    }
}

async fn receive(store: &CassandraStore, max: usize) -> Vec<Receipt> {
    let request = Receive {
        batch_max: NonZeroU32::new(max as u32).expect("some"),
        lease: LEASE,
        wait_max: Duration::from_secs(60),
    };
    let received = store.receive(&queue(), request).await.expect("receive");
    let receipts = received.deliveries.into_iter().map(|it| it.receipt);
    receipts.collect()
}

async fn end(store: &CassandraStore, receipts: &[Receipt], how: &Disposition) -> Vec<Settled> {
    let mut outcomes = Vec::new();
    for some in receipts.chunks(1000) {
        let settlement = |receipt: &Receipt| Settlement {
            receipt: receipt.clone(),
            disposition: how.clone(),
        };
        let batch: Vec<_> = some.iter().map(settlement).collect();
        outcomes.extend(store.settle(&queue(), &batch).await.expect("settle"));
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_that_lie_behind_what_the_new_owner_keeps_are_as_good_as_any() {
    let stage = Stage::new().await;
    let first = stage.open("", true).await.expect("open");
    fill(&first).await;
    let mut receipts = Vec::new();
    while receipts.len() < WAITING + HELD {
        receipts.extend(receive(&first, 1000).await);
    }
    let (released, held) = receipts.split_at(WAITING);
    let release = Disposition::Release {
        due: None,
        checkpoint: None,
    };
    end(&first, released, &release).await;
    drop(first);

    let second = stage.open("", true).await.expect("open");
    let mine = receive(&second, 10).await;
    assert_eq!(mine.len(), 10);
    let (ended, extended) = held.split_at(HELD / 2);
    let mixed: Vec<_> = mine.iter().chain(ended).cloned().collect();
    let outcomes = end(&second, &mixed, &Disposition::Ack).await;
    assert_eq!(outcomes, vec![Settled::Applied; mixed.len()]);
    let again = end(&second, ended, &Disposition::Ack).await;
    assert_eq!(again, vec![Settled::LeaseLost; ended.len()]);
    let outcomes = second.extend(&queue(), extended, LEASE).await;
    let applied = vec![Settled::Applied; extended.len()];
    assert_eq!(outcomes.expect("extend"), applied);
    drop(second);
    stage.end().await;
}
