//! `fsck`: it counts exactly, and finds what was broken by hand.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use longshore_cassandra::CassandraStore;
use longshore_core::{
    AttemptRecord, Census, DeadReason, Disposition, Due, Fsck as _, IdOrigin, JobKind, Label,
    MessageId, NewMessage, QueueName, QueueStore as _, Receive, Settlement, Severity, Timestamp,
};
use uuid::Uuid;

use super::stage::Stage;

fn queue() -> QueueName {
    QueueName::new("q").expect("a name")
}

fn new(number: u128, delay: Duration) -> NewMessage {
    let id = MessageId::from_uuid(Uuid::from_u128(number));
    let kind = JobKind::new("job").expect("a kind");
    let mut new = NewMessage::new(id, IdOrigin::Fresh, kind, Bytes::from_static(b"x"));
    new.due = (!delay.is_zero()).then_some(Due::In(delay));
    new
}

/// One of each: waiting, delayed, leased, dead, settled.
async fn fill(store: &CassandraStore) {
    let hour = Duration::from_secs(3600);
    let none = Duration::ZERO;
    let mut batch: Vec<_> = (1..=4).map(|number| new(number, none)).collect();
    batch.push(new(5, hour));
    store.enqueue(&queue(), &batch).await.expect("enqueue");
    let request = Receive {
        batch_max: NonZeroU32::new(3).expect("three"),
        lease: hour,
        wait_max: Duration::from_secs(20),
    };
    let received = store.receive(&queue(), request).await.expect("receive");
    let receipts: Vec<_> = received
        .deliveries
        .into_iter()
        .map(|it| it.receipt)
        .collect();
    assert_eq!(receipts.len(), 3);
    let now = Timestamp::from_millis(1);
    let label = Label::new("broken").expect("a label");
    let dead = Disposition::DeadLetter {
        reason: DeadReason::Requested,
        record: AttemptRecord::new("w", now, now, label, "it broke"),
        park_group: false,
        checkpoint: None,
    };
    let batch = [(1, Disposition::Ack), (2, dead)].map(|(which, disposition)| Settlement {
        receipt: receipts[which].clone(),
        disposition,
    });
    store.settle(&queue(), &batch).await.expect("settle");
}

async fn fsck(store: &CassandraStore, repair: bool) -> Census {
    let census = store.fsck(&queue(), repair).await.expect("fsck");
    census.expect("the queue exists")
}

fn problems(census: &Census) -> Vec<&str> {
    let all = census.findings.iter();
    let problems = all.filter(|one| one.severity == Severity::Problem);
    problems.map(|one| one.check.as_str()).collect()
}

fn states(census: &Census) -> [u64; 5] {
    [
        census.waiting,
        census.delayed,
        census.leased,
        census.dead,
        census.settled,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_counted_once_and_what_was_broken_is_found_and_mended() {
    let stage = Stage::new().await;
    let store = stage.open("", true).await.expect("open");
    assert!(store.fsck(&queue(), false).await.expect("fsck").is_none());
    fill(&store).await;
    let census = fsck(&store, false).await;
    assert_eq!(states(&census), [1, 1, 1, 1, 1], "{census:?}");
    assert!(problems(&census).is_empty(), "{census:?}");

    // The index is gone: nobody would ever look at these messages.
    stage.cql("TRUNCATE KS.stream_bucket").await;
    let census = fsck(&store, false).await;
    assert_eq!(states(&census), [0; 5], "{census:?}");
    assert_eq!(problems(&census), ["index"], "{census:?}");
    let mended = fsck(&store, true).await;
    assert!(mended.repaired >= 2, "{mended:?}");
    let census = fsck(&store, false).await;
    assert_eq!(states(&census), [1, 1, 1, 1, 1], "{census:?}");
    assert!(problems(&census).is_empty(), "{census:?}");

    // All rows of messages are gone, as where disks were lost.
    stage.cql("TRUNCATE KS.message").await;
    let census = fsck(&store, false).await;
    assert_eq!(problems(&census), ["rows"], "{census:?}");
    assert_eq!(states(&census), [0; 5], "{census:?}");
    stage.end().await;
}
