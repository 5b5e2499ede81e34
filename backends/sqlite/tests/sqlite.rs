//! What only SQLite can get wrong: files, processes, locks, full disks.

use std::num::NonZeroU32;
use std::time::Duration;

use longshore_core::{
    Backend, Disposition, Enqueued, IdOrigin, JobKind, MessageId, NewMessage, OpenOptions,
    QueueName, Receive, Settled, Settlement, StoreUrl,
};
use uuid::Uuid;

fn url(file: &std::path::Path) -> StoreUrl {
    format!("sqlite://{}", file.display()).parse().unwrap()
}

async fn open(file: &std::path::Path) -> Backend {
    longshore_sqlite::open(&url(file), &OpenOptions::default())
        .await
        .unwrap()
}

fn message(body: &str) -> NewMessage {
    let id = MessageId::from_uuid(Uuid::now_v7());
    NewMessage::new(id, IdOrigin::Fresh, JobKind::default(), body.to_owned())
}

fn queue() -> QueueName {
    QueueName::new("mail").unwrap()
}

fn receive(batch: u32, wait: Duration) -> Receive {
    Receive {
        batch_max: NonZeroU32::new(batch).unwrap(),
        lease: Duration::from_secs(30),
        wait_max: wait,
    }
}

#[tokio::test]
async fn a_message_goes_in_out_and_away() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("q.db")).await;
    let stored = store.queues.enqueue(&queue(), &[message("hello")]).await;
    assert_eq!(stored.unwrap(), [Enqueued::Stored]);
    let received = store
        .queues
        .receive(&queue(), receive(10, Duration::ZERO))
        .await
        .unwrap();
    assert_eq!(received.deliveries.len(), 1);
    assert_eq!(&*received.deliveries[0].message.body, b"hello");
    let settlement = Settlement {
        receipt: received.deliveries[0].receipt.clone(),
        disposition: Disposition::Ack,
    };
    let settled = store.queues.settle(&queue(), &[settlement.clone()]).await;
    assert_eq!(settled.unwrap(), [Settled::Applied]);
    let again = store.queues.settle(&queue(), &[settlement]).await.unwrap();
    assert_eq!(again, [Settled::LeaseLost]);
    let stats = store.admin.stats(&queue()).await.unwrap().unwrap();
    assert_eq!(stats.live(), 0);
}
