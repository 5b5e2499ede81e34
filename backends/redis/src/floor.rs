//! The raw floor: the same bytes through the bare stream commands.
//!
//! **Owns** what `longshore bench` measures beside the store, on keys of its own, and what it asks
//! the server about itself ([`server_usage`]).
//!
//! **When a process is killed.** Its keys stay, below the prefix of that bench.
//!
//! **Who writes.** Only keys of the bench; no key of a queue.

pub(crate) mod server_usage;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::future::{join_all, try_join_all};
use longshore_core::{Floor, FloorReport, FloorServer, FloorSpec, Result};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, RedisError, RedisResult, Value};

use crate::connection::dialer::Dialer;
use crate::connection::sentinel::any_client;
use crate::error::failed;
use crate::layout::schema::Keys;

/// How many batches each worker has under way while it adds.
const DEPTH: u64 = 4;

/// Whether the server keeps a list of who has read what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    /// It does, so that a message can be given to another process.
    Claim,
    /// It does not (`NOACK`).
    Forget,
}

/// Pipelined XADD, then XREADGROUP, XACK and XDEL.
#[derive(Debug)]
pub(crate) struct RedisFloor {
    dialer: Dialer,
    pub(crate) keys: Keys,
}

impl RedisFloor {
    pub(crate) fn new(dialer: Dialer, prefix: &str) -> Self {
        Self {
            dialer,
            keys: Keys::new(prefix),
        }
    }

    pub(crate) async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let timeout = Duration::from_secs(10);
        let client = any_client(&self.dialer, timeout).await?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout));
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    async fn run(&self, spec: FloorSpec, reads: Reads) -> Result<FloorReport> {
        let run = async {
            let connected = (0..spec.workers.get()).map(|_| self.connect());
            let connections = try_join_all(connected).await?;
            let stream = scratch_stream();
            let report = measure(&connections, &stream, spec, reads).await;
            drop_stream(&connections, &stream).await?;
            report
        };
        run.await.map_err(|error| failed("bench", error))
    }
}

#[async_trait]
impl Floor for RedisFloor {
    async fn measure(&self, spec: FloorSpec) -> Result<FloorReport> {
        self.run(spec, Reads::Claim).await
    }

    async fn measure_unclaimed(&self, spec: FloorSpec) -> Result<Option<FloorReport>> {
        self.run(spec, Reads::Forget).await.map(Some)
    }

    fn server(&self) -> Option<&dyn FloorServer> {
        Some(self)
    }
}

/// A stream that nobody has.
pub(crate) fn scratch_stream() -> String {
    format!("{{longshore-floor}}:{:016x}", fastrand::u64(..))
}

pub(crate) async fn drop_stream(
    connections: &[MultiplexedConnection],
    stream: &str,
) -> RedisResult<()> {
    let mut drop = redis::cmd("UNLINK");
    drop.arg(stream);
    for connection in connections.iter().take(1) {
        connection.clone().send_packed_command(&drop).await?;
    }
    Ok(())
}

async fn measure(
    connections: &[MultiplexedConnection],
    stream: &str,
    spec: FloorSpec,
    reads: Reads,
) -> RedisResult<FloorReport> {
    let mut group = redis::cmd("XGROUP");
    group
        .arg("CREATE")
        .arg(stream)
        .arg("g")
        .arg("0")
        .arg("MKSTREAM");
    for connection in connections.iter().take(1) {
        connection.clone().send_packed_command(&group).await?;
    }
    let began = Instant::now();
    add_all(connections, stream, spec).await?;
    let enqueue = began.elapsed();
    let began = Instant::now();
    let workers = connections.iter().enumerate().map(|(worker, connection)| {
        let (connection, stream) = (connection.clone(), stream.to_owned());
        tokio::spawn(drain(connection, stream, worker, (spec.batch.get(), reads)))
    });
    let mut drained = 0;
    for done in join_all(workers).await {
        drained += done.map_err(|_| broken("a consumer of the floor ended early"))??;
    }
    let receive_settle = began.elapsed();
    if drained != spec.messages {
        return Err(broken("the bare commands lost messages"));
    }
    Ok(FloorReport {
        enqueue,
        receive_settle,
    })
}

fn broken(what: &'static str) -> RedisError {
    RedisError::from((redis::ErrorKind::Client, what))
}

/// Each worker keeps several pipelines under way until its share is stored.
pub(crate) async fn add_all(
    connections: &[MultiplexedConnection],
    stream: &str,
    spec: FloorSpec,
) -> RedisResult<()> {
    let hands = connections.len() as u64 * DEPTH;
    let adding = (0..hands).map(|hand| {
        let share = spec.messages * (hand + 1) / hands - spec.messages * hand / hands;
        let connection = connections[(hand / DEPTH) as usize].clone();
        tokio::spawn(add(connection, stream.to_owned(), share, spec))
    });
    for done in join_all(adding).await {
        done.map_err(|_| broken("a producer of the floor ended early"))??;
    }
    Ok(())
}

async fn add(
    mut connection: MultiplexedConnection,
    stream: String,
    messages: u64,
    spec: FloorSpec,
) -> RedisResult<()> {
    let (id, head, body) = (vec![b'i'; 16], vec![b'h'; 54], vec![b'b'; spec.body_bytes]);
    let batch = u64::from(spec.enqueue_batch.get());
    let mut left = messages;
    while left > 0 {
        let count = left.min(batch);
        left -= count;
        let mut pipeline = Pipeline::new();
        for _ in 0..count {
            pipeline.cmd("XADD").arg(&stream).arg("*").arg("i").arg(&id);
            pipeline.arg("h").arg(&head).arg("b").arg(&body);
        }
        connection
            .send_packed_commands(&pipeline, 0, count as usize)
            .await?;
    }
    Ok(())
}

/// One consumer: settles what it has and reads the next batch in one pipeline, as a worker of
/// longshore does, until nothing is left.
async fn drain(
    mut connection: MultiplexedConnection,
    stream: String,
    worker: usize,
    (batch, reads): (u32, Reads),
) -> RedisResult<u64> {
    let (mut drained, mut held) = (0, Vec::new());
    loop {
        let mut turn = Pipeline::new();
        if !held.is_empty() {
            if reads == Reads::Claim {
                turn.cmd("XACK").arg(&stream).arg("g").arg(&held);
            }
            turn.cmd("XDEL").arg(&stream).arg(&held);
        }
        turn.cmd("XREADGROUP").arg("GROUP").arg("g").arg(worker);
        turn.arg("COUNT").arg(batch);
        if reads == Reads::Forget {
            turn.arg("NOACK");
        }
        turn.arg("STREAMS").arg(&stream).arg(">");
        let mut answers = connection
            .send_packed_commands(&turn, 0, turn.len())
            .await?;
        held = answers.pop().map(ids_of).unwrap_or_default();
        if held.is_empty() {
            return Ok(drained);
        }
        drained += held.len() as u64;
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
