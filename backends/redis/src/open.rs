//! Opening a store by its URL.

use std::sync::Arc;

use longshore_core::{
    Backend, Floor, OpenFuture, OpenOptions, Result, Scheme, StoreError, StoreErrorKind, StoreUrl,
};
use redis::cmd;

use crate::aggregate::RedisAggregates;
use crate::config::{AckLevel, Config, Servers};
use crate::connection::dialer::Dialer;
use crate::connection::line::Line;
use crate::connection::session::Session;
use crate::floor::RedisFloor;
use crate::scripts::{self, Script};
use crate::store::RedisStore;

/// Enqueues that wait for replicas at a time.
const DURABLE_LINES: usize = 4;

/// The schemes of this store.
pub fn schemes() -> Vec<Scheme> {
    [
        "redis",
        "rediss",
        "valkey",
        "redis+unix",
        "redis+sentinel",
        "rediss+sentinel",
        "redis+cluster",
        "rediss+cluster",
    ]
    .into_iter()
    .map(|name| Scheme {
        name,
        feature: "redis",
        open: Some(opened),
        ddl: None,
        floor: Some(floor),
    })
    .collect()
}

fn opened(url: StoreUrl, options: OpenOptions) -> OpenFuture {
    Box::pin(async move { Ok(backend_of(open(&url, options).await?)) })
}

fn floor(url: &StoreUrl) -> Result<Arc<dyn Floor>> {
    let config = Config::from_url(url)?;
    if matches!(config.servers, Servers::Cluster(_)) {
        // Its stream would lie on one node, and processor time and memory are those of one.
        let said = "bench measures beside the bare commands of one server, and a cluster is many; \
                    name a single server with the settings of its nodes by redis://";
        return Err(StoreError::unsupported("bench", said));
    }
    let prefix = config.prefix.clone();
    Ok(Arc::new(RedisFloor::new(Dialer::new(config)?, &prefix)))
}

/// Opens the store of a URL. The server is asked at once, so that a wrong URL is found here.
pub async fn open(url: &StoreUrl, options: OpenOptions) -> Result<Arc<RedisStore>> {
    let config = Config::from_url(url)?;
    let timeout = config.timeout.unwrap_or(options.call_timeout);
    let dialer = Dialer::new(config.clone())?;
    dialer.meet(timeout).await?;
    let mut durable = Vec::new();
    if matches!(config.ack, AckLevel::Replicas(_)) {
        for _ in 0..DURABLE_LINES {
            durable.push(Line::to(&dialer, timeout).await?);
        }
    }
    let main = Line::to(&dialer, timeout).await?;
    let bulk = Line::to(&dialer, timeout).await?;
    let mut session = Session::new(main, bulk, durable, &config, timeout);
    if greet(&session).await? == Keeps::WhereWaitedFor {
        let mut lines = Vec::new();
        for _ in 0..DURABLE_LINES {
            lines.push(Line::to(&dialer, timeout).await?);
        }
        session.wait_for_disk(lines);
    }
    let store = RedisStore::new(session, dialer, &config, options);
    store.greeted().await?;
    store.announce_meaning().await;
    Ok(store)
}

/// All handles of an open store.
pub fn backend_of(store: Arc<RedisStore>) -> Backend {
    let aggregates = Arc::new(RedisAggregates::new(store.clone()));
    Backend::of(store).with_aggregates(aggregates)
}

/// How a server keeps what the URL promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// By itself, or because the session waits for replicas.
    Always,
    /// Where each write is followed by a wait for the disk.
    WhereWaitedFor,
}

/// Finds out whether the server is there, lets us in and keeps what the URL promises.
async fn greet(session: &Session) -> Result<Keeps> {
    session.command("open", &cmd("PING")).await?;
    let load: [&'static Script; 3] = [&scripts::ENQUEUE, &scripts::ENQUEUE_PLAIN, &scripts::ADOPT];
    match session.ack() {
        AckLevel::Memory => return Ok(Keeps::Always),
        AckLevel::Replicas(_) => {
            session.load(&load).await?;
            return Ok(Keeps::Always);
        }
        AckLevel::Fsync => {}
    }
    let mut ask = cmd("CONFIG");
    ask.arg("GET").arg("appendfsync").arg("appendonly");
    ask.arg("no-appendfsync-on-rewrite");
    let mut answer = Vec::new();
    for word in session.command("open", &ask).await?.list()? {
        answer.push(word.text()?);
    }
    let has = |key: &str, value: &str| {
        answer
            .windows(2)
            .any(|pair| pair[0] == key && pair[1] == value)
    };
    let is_written = has("appendonly", "yes") && !has("appendfsync", "no");
    // With it nothing is synced for as long as the file is rewritten or a snapshot is saved.
    let is_suspended = has("no-appendfsync-on-rewrite", "yes");
    if is_written && has("appendfsync", "always") && !is_suspended {
        return Ok(Keeps::Always);
    }
    if is_written && can_wait_for_disk(session).await {
        session.load(&load).await?;
        return Ok(Keeps::WhereWaitedFor);
    }
    let what = if is_written && is_suspended {
        " while it rewrites its file or saves a snapshot; set no-appendfsync-on-rewrite no"
    } else {
        "; set appendonly yes and appendfsync always"
    };
    Err(StoreError::new(
        StoreErrorKind::Misconfigured,
        "open",
        format!(
            "ack=fsync promises what this server does not keep{what} (from Redis 7.2 on appendonly \
             yes is enough, with the right +waitaof)"
        ),
    ))
}

/// Whether the server knows how to wait for its disk, and lets us.
async fn can_wait_for_disk(session: &Session) -> bool {
    let mut wait = cmd("WAITAOF");
    wait.arg(0).arg(0).arg(1);
    session.command("open", &wait).await.is_ok()
}
