//! Workers and operators in one process, all at once.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use longshore_cassandra::CassandraStore;
use longshore_core::{
    Disposition, IdOrigin, JobKind, MessageId, NewMessage, QueueAdmin as _, QueueName,
    QueueStore as _, Receive, Settlement,
};
use uuid::Uuid;

use super::stage::Stage;

const MESSAGES: usize = 2000;

fn queue() -> QueueName {
    QueueName::new("q").expect("a name")
}

fn new(number: usize) -> NewMessage {
    let id = MessageId::from_uuid(Uuid::from_u128(number as u128 + 1));
    let kind = JobKind::new("job").expect("a kind");
    NewMessage::new(id, IdOrigin::Fresh, kind, Bytes::new())
}

/// Works until all are done.
async fn work(store: &CassandraStore, done: &AtomicUsize) {
    while done.load(Ordering::Relaxed) < MESSAGES {
        let request = Receive {
            batch_max: NonZeroU32::new(7).expect("some"),
            lease: Duration::from_secs(600),
            wait_max: Duration::from_millis(200),
        };
        let received = store.receive(&queue(), request).await.expect("receive");
        let all = received.deliveries.into_iter().map(|it| Settlement {
            receipt: it.receipt,
            disposition: Disposition::Ack,
        });
        let all: Vec<_> = all.collect();
        store.settle(&queue(), &all).await.expect("settle");
        done.fetch_add(all.len(), Ordering::Relaxed);
    }
}

/// Looks at all shards, and wants all of them, over and over.
async fn look(store: &CassandraStore, done: &AtomicUsize) {
    let nowhere = [MessageId::from_uuid(Uuid::from_u128(u128::MAX))];
    while done.load(Ordering::Relaxed) < MESSAGES {
        store.stats(&queue()).await.expect("stats");
        store.cancel(&queue(), &nowhere).await.expect("cancel");
        store.find(&queue(), nowhere[0]).await.expect("find");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_several_shards_waits_for_nobody_who_waits_for_it() {
    let stage = Stage::new().await;
    let store = stage.open_sharded(4).await.expect("open");
    let all: Vec<_> = (0..MESSAGES).map(new).collect();
    for batch in all.chunks(500) {
        store.enqueue(&queue(), batch).await.expect("enqueue");
    }
    let done = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for number in 0..8 {
        let (store, done) = (store.clone(), done.clone());
        tasks.push(tokio::spawn(async move {
            if number < 5 {
                work(&store, &done).await;
            } else {
                look(&store, &done).await;
            }
        }));
    }
    for ended in join_all(tasks).await {
        ended.expect("all calls are answered in time");
    }
    assert_eq!(done.load(Ordering::Relaxed), MESSAGES);
    drop(store);
    stage.end().await;
}
