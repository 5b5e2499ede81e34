//! The raw floor: the same bytes through the bare stream commands.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use longshore_core::{Floor, FloorReport, FloorSpec, Result};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, RedisError, RedisResult, Value};

use crate::error::failed;
use crate::open::Dialer;

/// How many batches are under way at a time.
const DEPTH: usize = 8;

/// Pipelined XADD, then XREADGROUP, XACK and XDEL.
#[derive(Debug)]
pub(crate) struct RedisFloor {
    dialer: Dialer,
}

impl RedisFloor {
    pub(crate) fn new(dialer: Dialer) -> Self {
        Self { dialer }
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let timeout = Duration::from_secs(10);
        let client = self.dialer.any_client(timeout).await?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout));
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }
}

#[async_trait]
impl Floor for RedisFloor {
    async fn measure(&self, spec: FloorSpec) -> Result<FloorReport> {
        let run = async {
            let connection = self.connect().await?;
            let stream = format!("{{longshore-floor}}:{:016x}", fastrand::u64(..));
            let report = measure(&connection, &stream, spec).await;
            let mut drop = redis::cmd("UNLINK");
            drop.arg(&stream);
            connection.clone().send_packed_command(&drop).await?;
            report
        };
        run.await.map_err(|error| failed("bench", error))
    }
}

async fn measure(
    connection: &MultiplexedConnection,
    stream: &str,
    spec: FloorSpec,
) -> RedisResult<FloorReport> {
    let mut group = redis::cmd("XGROUP");
    group
        .arg("CREATE")
        .arg(stream)
        .arg("g")
        .arg("0")
        .arg("MKSTREAM");
    connection.clone().send_packed_command(&group).await?;
    let began = Instant::now();
    add_all(connection, stream, spec).await?;
    let enqueue = began.elapsed();
    let began = Instant::now();
    let workers = (0..spec.workers.get()).map(|worker| drain(connection, stream, worker, spec));
    let drained: u64 = futures_util::future::try_join_all(workers)
        .await?
        .into_iter()
        .sum();
    let receive_settle = began.elapsed();
    if drained != spec.messages {
        let what = "the bare commands lost messages";
        return Err(RedisError::from((redis::ErrorKind::Client, what)));
    }
    Ok(FloorReport {
        enqueue,
        receive_settle,
    })
}

async fn add_all(
    connection: &MultiplexedConnection,
    stream: &str,
    spec: FloorSpec,
) -> RedisResult<()> {
    let (id, head, body) = (vec![b'i'; 16], vec![b'h'; 54], vec![b'b'; spec.body_bytes]);
    let batch = u64::from(spec.enqueue_batch.get());
    let mut left = spec.messages;
    while left > 0 {
        let mut pipelines = Vec::with_capacity(DEPTH);
        while left > 0 && pipelines.len() < DEPTH {
            let count = left.min(batch);
            left -= count;
            let mut pipeline = Pipeline::new();
            for _ in 0..count {
                pipeline.cmd("XADD").arg(stream).arg("*").arg("i").arg(&id);
                pipeline.arg("h").arg(&head).arg("b").arg(&body);
            }
            pipelines.push((pipeline, count as usize));
        }
        let sent = pipelines.iter().map(|(pipeline, count)| {
            let mut connection = connection.clone();
            async move { connection.send_packed_commands(pipeline, 0, *count).await }
        });
        futures_util::future::try_join_all(sent).await?;
    }
    Ok(())
}

/// One consumer: reads a batch, acks and deletes it, until nothing is left.
async fn drain(
    connection: &MultiplexedConnection,
    stream: &str,
    worker: u32,
    spec: FloorSpec,
) -> RedisResult<u64> {
    let mut connection = connection.clone();
    let mut drained = 0;
    loop {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP")
            .arg("g")
            .arg(worker)
            .arg("COUNT")
            .arg(spec.batch.get());
        read.arg("STREAMS").arg(stream).arg(">");
        let ids = ids_of(connection.send_packed_command(&read).await?);
        if ids.is_empty() {
            return Ok(drained);
        }
        let mut settle = Pipeline::new();
        settle.cmd("XACK").arg(stream).arg("g").arg(&ids);
        settle.cmd("XDEL").arg(stream).arg(&ids);
        connection.send_packed_commands(&settle, 0, 2).await?;
        drained += ids.len() as u64;
    }
}

/// The entries' names in the answer of XREADGROUP: `[[stream, [[name, fields], …]]]`.
fn ids_of(answer: Value) -> Vec<Vec<u8>> {
    let first = |value: Value| match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    let Some(stream) = first(answer).into_iter().next() else {
        return Vec::new();
    };
    let entries = first(stream)
        .into_iter()
        .nth(1)
        .map(first)
        .unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|entry| match first(entry).into_iter().next() {
            Some(Value::BulkString(name)) => Some(name),
            _ => None,
        })
        .collect()
}
