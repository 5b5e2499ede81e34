//! Dead letters that are older than their queue keeps them.

use std::num::NonZeroU32;
use std::time::Duration;

use longshore::core::{
    AttemptRecord, Clock as _, DeadReason, Disposition, Label, QueueName, Receive, SettingsChange,
    Settlement,
};

use crate::stage::{Count, Stage, count, start, until};

const KEEP: Duration = Duration::from_secs(3_600);

impl Stage {
    /// Makes dead letters of what waits.
    async fn bury_all(&self, park_group: bool) {
        let queues = &self.connection.backend().queues;
        let name = QueueName::new("work").unwrap();
        let request = Receive {
            batch_max: NonZeroU32::new(100).unwrap(),
            lease: Duration::from_secs(30),
            wait_max: Duration::ZERO,
        };
        let received = queues.receive(&name, request).await.unwrap();
        let now = self.clock.as_ref().unwrap().now();
        let settlements: Vec<_> = received
            .deliveries
            .iter()
            .map(|delivery| Settlement {
                receipt: delivery.receipt.clone(),
                disposition: Disposition::DeadLetter {
                    reason: DeadReason::Requested,
                    record: AttemptRecord::new("w", now, now, Label::lossy("test"), "no"),
                    park_group,
                    checkpoint: None,
                },
            })
            .collect();
        queues.settle(&name, &settlements).await.unwrap();
    }
}

#[tokio::test]
async fn old_ones_are_discarded_and_young_ones_and_parked_ones_are_not() {
    let stage = Stage::manual().await;
    let clock = stage.clock.clone().unwrap();
    let name = QueueName::new("work").unwrap();
    let change = SettingsChange {
        dead_keep_ms: Some(KEEP.as_millis() as u64),
        ..SettingsChange::default()
    };
    let admin = &stage.connection.backend().admin;
    admin.configure(&name, &change).await.unwrap();
    stage
        .queue()
        .enqueue_batch((0..3).map(count))
        .await
        .unwrap();
    stage.bury_all(false).await;
    stage.queue().enqueue(count(3)).group("g").await.unwrap();
    stage.bury_all(true).await;
    clock.advance(KEEP);
    stage.queue().enqueue(count(4)).await.unwrap();
    stage.bury_all(false).await;
    clock.advance(Duration::from_millis(1));

    let worker = stage
        .worker()
        .queue("work", |q| q.handle(async |_: Count| ()));
    let running = start(worker.build().unwrap());
    until("the old ones are gone", async || {
        stage.stats().await.dead == 2
    })
    .await;
    running.stop().await;
    let dead = stage.dead().await;
    let parked: Vec<_> = dead
        .iter()
        .map(|one| one.dead().unwrap().parks_group)
        .collect();
    assert_eq!(parked, [true, false]);
}
