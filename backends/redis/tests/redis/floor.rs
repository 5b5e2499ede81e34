//! What bench measures beside: the bare commands of a server.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::servers::{Commands as _, Server, text};
use longshore_core::{Floor, FloorSpec, StoreUrl, UrlError};

fn floor_of(url: &str) -> Result<Arc<dyn Floor>, String> {
    let url: StoreUrl = url.parse().map_err(|error: UrlError| error.to_string())?;
    let mut schemes = longshore_redis::schemes().into_iter();
    let scheme = schemes.find(|scheme| scheme.name == url.scheme());
    let floor = scheme.and_then(|scheme| scheme.floor).ok_or("no floor")?;
    floor(&url).map_err(|error| error.to_string())
}

fn spec() -> FloorSpec {
    FloorSpec {
        messages: 500,
        body_bytes: 32,
        enqueue_batch: NonZeroU32::MIN.saturating_add(63),
        batch: NonZeroU32::MIN.saturating_add(15),
        workers: NonZeroU32::MIN.saturating_add(1),
    }
}

/// How often a command was called.
async fn calls(server: &Server, command: &str) -> u64 {
    let stats = text(server.command(&["INFO", "commandstats"]).await);
    let line = format!("cmdstat_{command}:calls=");
    let calls = stats.lines().find_map(|it| it.strip_prefix(&line));
    let count = calls.and_then(|it| it.split(',').next());
    count.and_then(|it| it.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn the_floor_stores_claims_and_deletes_all_and_leaves_nothing() {
    let server = Server::start(&[]).unwrap();
    let floor = floor_of(&server.url("")).unwrap();
    let report = floor.measure(spec()).await.unwrap();
    assert!(report.enqueue > Duration::ZERO && report.receive_settle > Duration::ZERO);
    assert_eq!(calls(&server, "xadd").await, 500);
    assert!(calls(&server, "xack").await >= 500 / 16);
    assert!(calls(&server, "xdel").await >= 500 / 16);
    assert_eq!(text(server.command(&["KEYS", "*"]).await), "");
}

#[tokio::test]
async fn without_claims_it_deletes_all_and_acknowledges_nothing() {
    let server = Server::start(&[]).unwrap();
    let floor = floor_of(&server.url("")).unwrap();
    let report = floor.measure_unclaimed(spec()).await.unwrap();
    assert!(report.is_some_and(|report| report.receive_settle > Duration::ZERO));
    assert_eq!(calls(&server, "xadd").await, 500);
    assert_eq!(calls(&server, "xack").await, 0);
    assert!(calls(&server, "xdel").await >= 500 / 16);
    assert_eq!(text(server.command(&["KEYS", "*"]).await), "");
}

#[tokio::test]
async fn a_cluster_has_no_floor_and_says_why() {
    let refused = floor_of("redis+cluster://127.0.0.1:1").unwrap_err();
    assert!(refused.contains("name a single server"), "{refused}");
}
