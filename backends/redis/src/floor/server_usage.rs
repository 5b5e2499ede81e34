//! What a bench asks the server about itself, and how it cleans up.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use longshore_core::{FloorServer, FloorSpec, Result, ServerUsage, StoreError};
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, Value, cmd};

use crate::connection::reply::Reply;
use crate::error::{failed, unexpected_reply};
use crate::floor::{RedisFloor, add_all, drop_stream, scratch_stream};

/// How many keys one step of a scan looks at.
const SCANNED: u32 = 1000;
/// Only keys of a bench are ever cleared.
const SCRATCH: &str = "bench-";

#[async_trait]
impl FloorServer for RedisFloor {
    async fn usage(&self) -> Result<ServerUsage> {
        let text = async {
            let mut connection = self.connect().await?;
            info(&mut connection).await
        };
        let text = text.await.map_err(|error| failed("bench", error))?;
        usage_of(&text).ok_or_else(|| {
            unexpected_reply(
                "bench",
                "INFO does not tell processor time and memory; Redis 7.0 or newer does",
            )
        })
    }

    async fn keys(&self) -> Result<u64> {
        let keys = self.scan(|_| None).await;
        keys.map_err(|error| failed("bench", error))
    }

    async fn waiting_bytes(&self, spec: FloorSpec) -> Result<u64> {
        let run = async {
            let connected = (0..spec.workers.get()).map(|_| self.connect());
            let mut connections = try_join_all(connected).await?;
            let stream = scratch_stream();
            let before = memory(&mut connections).await?;
            let added = add_all(&connections, &stream, spec).await;
            let after = memory(&mut connections).await;
            drop_stream(&connections, &stream).await?;
            added?;
            Ok(after?.saturating_sub(before))
        };
        run.await
            .map_err(|error: RedisError| failed("bench", error))
    }

    async fn clear(&self) -> Result<()> {
        if !self.keys.prefix().starts_with(SCRATCH) {
            let said = "only keys of a bench are cleared; the prefix of the URL is another";
            return Err(StoreError::invalid_input("bench", said));
        }
        let cleared = self.scan(|keys| {
            let mut unlink = cmd("UNLINK");
            unlink.arg(keys);
            Some(unlink)
        });
        cleared
            .await
            .map(drop)
            .map_err(|error| failed("bench", error))
    }
}

impl RedisFloor {
    /// Counts the keys under the prefix, and sends what `then` makes of each handful.
    async fn scan(&self, then: impl Fn(&[Vec<u8>]) -> Option<redis::Cmd>) -> RedisResult<u64> {
        let mut connection = self.connect().await?;
        let (mut cursor, mut count) = (String::from("0"), 0);
        loop {
            let mut step = cmd("SCAN");
            step.arg(&cursor).arg("MATCH").arg(self.keys.pattern());
            step.arg("COUNT").arg(SCANNED);
            let (next, keys) = page_of(connection.send_packed_command(&step).await?);
            count += keys.len() as u64;
            if let Some(command) = then(&keys).filter(|_| !keys.is_empty()) {
                connection
                    .send_packed_command(&command)
                    .await?
                    .extract_error()?;
            }
            if next == "0" || next.is_empty() {
                return Ok(count);
            }
            cursor = next;
        }
    }
}

/// The answer of SCAN: where to go on, and keys.
fn page_of(answer: Value) -> (String, Vec<Vec<u8>>) {
    let read = || {
        let [next, keys] = Reply::new("bench", answer).fixed()?;
        let keys = keys.list()?.into_iter().map(Reply::bytes);
        let keys: Result<Vec<_>> = keys.map(|key| key.map(|key| key.to_vec())).collect();
        Ok::<_, StoreError>((next.text()?, keys?))
    };
    read().unwrap_or_default()
}

async fn info(connection: &mut MultiplexedConnection) -> RedisResult<String> {
    let mut ask = cmd("INFO");
    ask.arg("everything");
    let answer = connection
        .send_packed_command(&ask)
        .await?
        .extract_error()?;
    Ok(Reply::new("bench", answer).text().unwrap_or_default())
}

async fn memory(connections: &mut [MultiplexedConnection]) -> RedisResult<u64> {
    match connections.first_mut() {
        Some(connection) => {
            let text = info(connection).await?;
            Ok(usage_of(&text).map_or(0, |usage| usage.memory_bytes))
        }
        None => Ok(0),
    }
}

fn usage_of(info: &str) -> Option<ServerUsage> {
    let field = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.strip_prefix(':'))
            .map(str::trim_end)
    };
    let seconds = |name| field(name)?.parse::<f64>().ok();
    let user = seconds("used_cpu_user_main_thread")?;
    let system = seconds("used_cpu_sys_main_thread")?;
    Some(ServerUsage {
        processor: Duration::try_from_secs_f64(user + system).ok()?,
        memory_bytes: field("used_memory")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_and_memory_are_read() {
        let text = "# Memory\r\nused_memory:2048\r\nused_memory_rss:9\r\n\
                    used_cpu_sys_main_thread:0.25\r\nused_cpu_user_main_thread:1.5\r\n";
        let usage = usage_of(text).unwrap();
        assert_eq!(usage.memory_bytes, 2048);
        assert_eq!(usage.processor, Duration::from_millis(1750));
        assert_eq!(usage_of("used_memory:1\r\n"), None);
    }
}
