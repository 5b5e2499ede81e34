//! The raw floor: the same bytes by the bare driver, at the same consistency, in the same batches.
//!
//! It is the least that a queue of rows that are only inserted needs: a table of bodies, read in
//! pages, and a table of events. No check after the write, no lease, no attempt, no
//! owner. Enqueue is unlogged batches of one partition each; receive and settle is a page and
//! then a batch of event rows.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use longshore_core::{
    Floor, FloorReport, FloorSpec, Result, ServerCounts, StoreError, StoreErrorKind, StoreUrl,
};
use scylla::client::session::Session;
use scylla::statement::Consistency;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;

use crate::config::Config;
use crate::cql::connect::connect;
use crate::cql::node_metrics::counts;
use crate::error::{failed, unprepared};

/// How many batches are under way at a time.
const DEPTH: usize = 8;

/// No statement takes longer; those that make and drop tables take a while.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Partitions that the messages are spread over, as the buckets of some shards are.
const PARTITIONS: u64 = 16;

/// What a store on Cassandra cannot be faster than.
#[derive(Debug)]
pub(crate) struct CassandraFloor {
    config: Config,
}

/// The floor of a `cassandra://` URL, measured in tables of its own in the URL's keyspace.
pub(crate) fn floor(url: &StoreUrl) -> Result<Arc<dyn Floor>> {
    Ok(Arc::new(CassandraFloor {
        config: Config::from_url(url)?,
    }))
}

#[async_trait]
impl Floor for CassandraFloor {
    async fn measure(&self, spec: FloorSpec) -> Result<FloorReport> {
        let timeout = self.config.timeout.unwrap_or(TIMEOUT);
        let (link, _) = Box::pin(connect(&self.config, timeout, true)).await?;
        let session = link.driver.session();
        let name = format!("{}.floor_{:08x}", self.config.keyspace, fastrand::u32(..));
        let bare = Bare::create(session, &name).await?;
        let report = bare.measure(spec).await;
        for table in [&name, &event(&name)] {
            change(session, &format!("DROP TABLE IF EXISTS {table}")).await?;
        }
        report
    }

    async fn counts(&self) -> Result<Option<ServerCounts>> {
        let timeout = self.config.timeout.unwrap_or(TIMEOUT);
        let (link, _) = Box::pin(connect(&self.config, timeout, true)).await?;
        counts(&link.driver, &self.config.keyspace).await.map(Some)
    }
}

fn event(name: &str) -> String {
    format!("{name}_event")
}

/// Runs a statement that changes tables.
async fn change(session: &Session, cql: &str) -> Result<()> {
    let done = session.query_unpaged(cql, ()).await;
    done.map(drop).map_err(|error| failed("bench", error))
}

/// The bare statements on two tables.
struct Bare<'a> {
    session: &'a Session,
    insert: PreparedStatement,
    page: PreparedStatement,
    settle: PreparedStatement,
}

/// A message as it is stored: partition, position, id, head, body.
type Row<'a> = (i64, i64, [u8; 16], &'a [u8], &'a [u8]);

impl<'a> Bare<'a> {
    async fn create(session: &'a Session, name: &str) -> Result<Self> {
        let key = "part bigint, pos bigint, id blob";
        let options = "PRIMARY KEY ((part), pos, id)) WITH gc_grace_seconds = 86400";
        let messages = format!("CREATE TABLE {name} ({key}, head blob, body blob, {options}");
        let event = event(name);
        change(session, &messages).await?;
        change(
            session,
            &format!("CREATE TABLE {event} ({key}, done boolean, {options}"),
        )
        .await?;
        Ok(Self {
            session,
            insert: prepare(
                session,
                format!("INSERT INTO {name} (part, pos, id, head, body) VALUES (?, ?, ?, ?, ?)"),
            )
            .await?,
            page: prepare(
                session,
                format!(
                    "SELECT pos, id, head, body FROM {name} WHERE part = ? AND pos > ? LIMIT ?"
                ),
            )
            .await?,
            settle: prepare(
                session,
                format!("INSERT INTO {event} (part, pos, id, done) VALUES (?, ?, ?, true)"),
            )
            .await?,
        })
    }

    async fn measure(&self, spec: FloorSpec) -> Result<FloorReport> {
        let began = Instant::now();
        self.enqueue(spec).await?;
        let enqueue = began.elapsed();
        let began = Instant::now();
        let workers = u64::from(spec.workers.get());
        let drained = try_join_all((0..workers).map(|worker| self.drain(worker, spec))).await?;
        let receive_settle = began.elapsed();
        if drained.iter().sum::<u64>() != spec.messages {
            return Err(lost());
        }
        Ok(FloorReport {
            enqueue,
            receive_settle,
        })
    }

    async fn enqueue(&self, spec: FloorSpec) -> Result<()> {
        let batch = u64::from(spec.enqueue_batch.get());
        let starts = (0..spec.messages).step_by(spec.enqueue_batch.get() as usize);
        let (head, body) = (vec![b'h'; 54], vec![b'b'; spec.body_bytes]);
        let sent = stream::iter(starts).map(|start| {
            let end = spec.messages.min(start + batch);
            let part = (start / batch % PARTITIONS) as i64;
            self.insert(part, start..end, &head, &body)
        });
        sent.buffer_unordered(DEPTH).try_collect::<()>().await
    }

    /// Inserts some messages into one partition.
    async fn insert(&self, part: i64, numbers: Range<u64>, head: &[u8], body: &[u8]) -> Result<()> {
        let row = |number: u64| -> Row<'_> {
            let id = u128::from(number).to_be_bytes();
            (part, number as i64, id, head, body)
        };
        let rows: Vec<_> = numbers.map(row).collect();
        self.batch(&self.insert, rows).await
    }

    async fn batch<V>(&self, statement: &PreparedStatement, rows: Vec<V>) -> Result<()>
    where
        V: scylla::serialize::row::SerializeRow,
    {
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_consistency(Consistency::LocalQuorum);
        for _ in &rows {
            batch.append_statement(statement.clone());
        }
        let done = self.session.batch(&batch, rows).await;
        done.map(drop).map_err(|error| failed("bench", error))
    }

    /// One worker: reads its partitions page by page and settles each page.
    async fn drain(&self, worker: u64, spec: FloorSpec) -> Result<u64> {
        let mut drained = 0;
        for part in (worker..PARTITIONS).step_by(spec.workers.get() as usize) {
            let mut after = -1;
            loop {
                let page = self.page(part as i64, after, spec).await?;
                let Some((_, last, _)) = page.last() else {
                    break;
                };
                after = *last;
                drained += page.len() as u64;
                self.batch(&self.settle, page).await?;
            }
        }
        Ok(drained)
    }

    async fn page(
        &self,
        part: i64,
        after: i64,
        spec: FloorSpec,
    ) -> Result<Vec<(i64, i64, Vec<u8>)>> {
        let limit = spec.batch.get() as i32;
        let answer = self
            .session
            .execute_unpaged(&self.page, (part, after, limit));
        let answer = answer.await.map_err(|error| failed("bench", error))?;
        let rows = answer.into_rows_result().map_err(|_| lost())?;
        let rows = rows.rows::<(i64, Vec<u8>, &[u8], &[u8])>();
        let rows = rows.map_err(|_| lost())?.map(|row| {
            let (pos, id, _, body) = row.map_err(|_| lost())?;
            (body.len() == spec.body_bytes)
                .then_some((part, pos, id))
                .ok_or_else(lost)
        });
        rows.collect()
    }
}

async fn prepare(session: &Session, cql: String) -> Result<PreparedStatement> {
    let mut prepared = session.prepare(cql).await.map_err(unprepared)?;
    prepared.set_consistency(Consistency::LocalQuorum);
    Ok(prepared)
}

fn lost() -> StoreError {
    let message = "the raw floor could not be measured: the bare statements lost messages";
    StoreError::new(StoreErrorKind::Unexpected, "bench", message)
}
