//! A store whose clock stands still until a test moves it, and its tables as `cqlsh` shows them.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_cassandra::{CassandraStore, Shared};
use longshore_core::{
    Delivery, Disposition, IdOrigin, JobKind, ManualClock, MessageId, NewMessage, QueueName,
    QueueStore as _, Receive, Settled, Settlement,
};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::deserialize::row::DeserializeRow;
use uuid::Uuid;

use super::stage::Stage;

/// The queue of the store, of one shard.
pub(crate) fn queue() -> QueueName {
    QueueName::new("q").expect("a name")
}

/// A store on a stage of its own. Nothing becomes old in it unless the clock is moved.
pub(crate) struct Still {
    pub(crate) stage: Stage,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<CassandraStore>,
    session: Session,
}

impl Still {
    pub(crate) async fn new() -> Self {
        let stage = Stage::new().await;
        let url = stage.url("");
        let session = SessionBuilder::new().known_nodes(url.hosts()).build().await;
        // It shows the first ms of a minute, and so of a bucket.
        let clock = Arc::new(ManualClock::default());
        let shared = Shared::connect(&url).await.expect("connect");
        Self {
            store: shared.open(&url, clock.clone()).expect("open"),
            session: session.expect("a cluster"),
            stage,
            clock,
        }
    }

    pub(crate) async fn enqueue(&self, numbers: impl IntoIterator<Item = u128>) {
        let kind = JobKind::new("job").expect("a kind");
        let new = |number| {
            let id = MessageId::from_uuid(Uuid::from_u128(number));
            NewMessage::new(
                id,
                IdOrigin::Fresh,
                kind.clone(),
                Bytes::from_static(b"body"),
            )
        };
        let batch: Vec<_> = numbers.into_iter().map(new).collect();
        let stored = self.store.enqueue(&queue(), &batch).await;
        stored.expect("enqueue");
    }

    /// What there is within a while, at most so many messages.
    pub(crate) async fn receive(&self, max: u32, wait_max: Duration) -> Vec<Delivery> {
        let request = Receive {
            batch_max: NonZeroU32::new(max).expect("some"),
            lease: Duration::from_secs(60),
            wait_max,
        };
        let received = self.store.receive(&queue(), request).await;
        received.expect("receive").deliveries
    }

    /// Messages that are there.
    pub(crate) async fn take(&self, count: u32) -> Vec<Delivery> {
        let taken = self.receive(count, Duration::from_secs(30)).await;
        assert_eq!(taken.len(), count as usize, "{taken:?}");
        taken
    }

    pub(crate) async fn settle(&self, deliveries: &[Delivery], how: &Disposition) {
        let settlement = |delivery: &Delivery| Settlement {
            receipt: delivery.receipt.clone(),
            disposition: how.clone(),
        };
        let batch: Vec<_> = deliveries.iter().map(settlement).collect();
        let settled = self.store.settle(&queue(), &batch).await.expect("settle");
        assert_eq!(settled, vec![Settled::Applied; batch.len()]);
    }

    /// The rows that a statement answers; `KS` stands for the keyspace.
    pub(crate) async fn rows<R>(&self, cql: &str) -> Vec<R>
    where
        R: for<'f> DeserializeRow<'f, 'f>,
    {
        let cql = cql.replace("KS", &self.stage.keyspace);
        let answer = self.session.query_unpaged(cql.as_str(), ()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{cql}: {error}"));
        let rows = answer.into_rows_result().expect("rows");
        let rows = rows.rows::<R>().expect("the columns");
        rows.map(|row| row.expect("a row")).collect()
    }

    /// How many rows of a table of messages each of these buckets has, in order.
    pub(crate) async fn rows_in(&self, table: &str, buckets: &[i64]) -> Vec<usize> {
        let cql = format!("SELECT bucket FROM KS.{table}");
        let rows: Vec<(i64,)> = self.rows(&cql).await;
        let of = |bucket: &i64| rows.iter().filter(|(found,)| found == bucket).count();
        buckets.iter().map(of).collect()
    }

    pub(crate) async fn end(self) {
        drop(self.store);
        self.stage.end().await;
    }
}
