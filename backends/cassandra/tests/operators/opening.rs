//! Opening: what is refused, and in which words.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use longshore_core::{OpenOptions, StoreErrorKind as Kind};

use super::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_wrong_is_refused_in_words() {
    let stage = Stage::new().await;
    let refused = async |keys: &str, create, kind, words: &str| {
        let error = stage.open(keys, create).await.expect_err(words);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    refused("", false, Kind::NotFound, "longshore schema apply").await;
    for create in [true, false] {
        refused(
            "&schema=manual",
            create,
            Kind::Misconfigured,
            "schema=manual",
        )
        .await;
    }
    refused("&dc=mars", true, Kind::Misconfigured, "known: dc1").await;
    refused("&rf=9", true, Kind::Misconfigured, "more copies than").await;

    stage
        .cql("CREATE KEYSPACE KS WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}")
        .await;
    refused("", true, Kind::Misconfigured, "add rf=1").await;
    stage
        .open("&rf=1", true)
        .await
        .expect("a single copy, as told");
    refused("", false, Kind::Misconfigured, "add rf=1").await;

    stage
        .cql("UPDATE KS.meta SET version = 99 WHERE name = 'schema' IF EXISTS")
        .await;
    refused("&rf=1", true, Kind::Unsupported, "version 99").await;
    stage.end().await;
}

/// A run was killed after it took its turn: the next one waits until that is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_was_not_used_ends() {
    let stage = Stage::new().await;
    stage
        .cql("CREATE KEYSPACE KS WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3}")
        .await;
    stage
        .cql("CREATE TABLE KS.meta (name text PRIMARY KEY, version int, creator uuid)")
        .await;
    stage
        .cql("INSERT INTO KS.meta (name, creator) VALUES ('schema', uuid()) IF NOT EXISTS USING TTL 3")
        .await;
    stage.open("", true).await.expect("tables");
    stage.open("", false).await.expect("tables are there");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_creators_at_once_make_the_tables_once() {
    let stage = Stage::new().await;
    let both = futures_util::future::join(stage.open("", true), stage.open("", true)).await;
    both.0.expect("the first");
    both.1.expect("the second");
    stage.open("&schema=manual", true).await.expect("tables");
    stage.end().await;
}

/// A web server, and one whose answer claims to be of two gigabytes.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_no_cassandra_is_told_soon() {
    for answer in [
        &b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"[..],
        &[0x84, 0, 0, 0, 6, 0x7f, 0xff, 0xff, 0xff, 0, 0],
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for caller in listener.incoming().map_while(Result::ok) {
                let mut caller = caller;
                let mut asked = [0; 512];
                let _ = caller.read(&mut asked);
                let _ = caller.write_all(answer);
            }
        });
        let url = format!("cassandra://127.0.0.1:{port}/shop?timeout=2s");
        let url = url.parse().expect("a URL");
        let opened = longshore_cassandra::open(&url, OpenOptions::default()).await;
        let error = opened.expect_err("not a Cassandra");
        assert_eq!(error.kind(), Kind::Misconfigured, "{error}");
        assert!(error.to_string().contains("no Cassandra node"), "{error}");
    }
}
