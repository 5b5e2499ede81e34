//! A move that was broken off: its newer row lies where nobody will look for it.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{MessageId, QueueSettings};
use tokio::time::sleep;
use uuid::Uuid;

use super::actors::{Actor, QUEUE};
use super::network::Network;
use super::process::Process;
use super::rows::Simulated;
use super::virtual_time::in_virtual_time;
use super::weather::STORM;
use crate::producer::append::Producer;
use crate::protocol::hybrid_clock::Hybrid;
use crate::protocol::storage::{Bucket, Mark, Storage as _, Stream};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::lease::Order;

const LANE: Stream = Stream {
    queue: QUEUE,
    shard: 0,
    kind: 1,
};

/// One process stores a message. Another one begins to move it and dies after its write: the row
/// lies in a bucket that a third one has closed and found settled. A fourth one sees both rows
/// before that bucket is deleted.
#[test]
fn a_newer_row_that_was_never_acknowledged_does_not_end_the_older_one() {
    in_virtual_time(async {
        let mut rng = fastrand::Rng::with_seed(1);
        let network = Arc::new(Network::new(&mut rng));
        let process = Process::new(&network, &mut rng);
        let rows = Arc::new(Simulated(process.clone()));
        let actor = Actor::new(&process, rows.clone(), &Arc::default());
        // Calm weather: only the order of steps is at fault.
        sleep(STORM + Duration::from_secs(60)).await;

        let id = MessageId::from_uuid(Uuid::from_u128(5));
        let older = actor.row(id, Duration::ZERO);
        let producer = Producer::new(rows.clone());
        let stored = producer.store(LANE, process.now(), std::slice::from_ref(&older));
        let home = stored.await.expect("it is acknowledged");

        let number = stream_kind::bucket_at(LANE, process.now()).number + 1;
        let bucket = Bucket {
            stream: LANE,
            number,
        };
        rows.register(bucket).await.expect("the index");
        rows.raise(LANE, Mark::Closed, number + 1)
            .await
            .expect("the close");
        let mut newer = older.clone();
        newer.position.pos += 1;
        newer.revision = 1;
        rows.put_messages(bucket, &[newer])
            .await
            .expect("the write of a dead process");

        let load = || async {
            let hybrid = Arc::new(Hybrid::default());
            let shard = Shard::load(rows.clone(), QUEUE, 0, hybrid, process.now()).await;
            shard.expect("a shard")
        };
        drop(load().await);
        rows.set_done(bucket).await.expect("the end of the bucket");
        rows.delete(bucket).await.expect("the delete");

        let batch = Order {
            max: 5,
            lease: Duration::from_secs(20),
            of_lanes: None,
            settings: QueueSettings::default(),
        };
        let mut shard = load().await;
        let received = shard
            .hand_out(&batch, process.now())
            .await
            .expect("a batch");
        let ids: Vec<_> = received.deliveries.iter().map(|it| it.message.id).collect();
        assert_eq!(ids, [id], "it lies in {home:?}");
    });
}
