//! What a user compiles for the features they chose.

use std::collections::BTreeSet;

use longshore_architecture_tests::{Crates, tree};

/// What a terminal needs; no library does.
const TERMINAL: &[&str] = &[
    "clap",
    "clap_builder",
    "comfy-table",
    "indicatif",
    "crossterm",
    "ratatui",
];
/// What serves or asks over HTTP.
const HTTP: &[&str] = &[
    "axum",
    "hyper",
    "reqwest",
    "rustls",
    "metrics-exporter-prometheus",
];
/// What a route file needs.
const ROUTES: &[&str] = &["toml", "minijinja", "glob"];
/// What only one store needs.
const SQLITE: &[&str] = &["rusqlite", "libsqlite3-sys", "notify", "longshore-sqlite"];
const CASSANDRA: &[&str] = &["scylla", "longshore-cassandra"];
const REDIS: &[&str] = &["redis", "longshore-redis"];

fn assert_none(package: &str, features: &[&str], unwanted: &[&[&str]]) {
    let tree = tree(package, features);
    let unwanted: BTreeSet<_> = unwanted.iter().copied().flatten().copied().collect();
    let found: Vec<_> = tree
        .iter()
        .filter(|name| unwanted.contains(name.as_str()))
        .collect();
    assert!(
        found.is_empty(),
        "{package} with {features:?} compiles {found:?}"
    );
}

#[test]
fn core_has_no_runtime_and_no_driver() {
    let runtimes: &[&str] = &["tokio", "mio", "async-io", "smol", "async-std", "socket2"];
    let time: &[&str] = &["jiff", "chrono", "time"];
    assert_none(
        "longshore-core",
        &[],
        &[
            runtimes, time, TERMINAL, HTTP, ROUTES, SQLITE, CASSANDRA, REDIS,
        ],
    );
}

#[test]
fn a_producer_on_one_store_compiles_no_other() {
    assert_none("longshore", &["memory"], &[SQLITE, CASSANDRA, REDIS]);
    assert_none(
        "longshore",
        &["sqlite"],
        &[&["longshore-memory"], CASSANDRA, REDIS],
    );
    assert_none(
        "longshore",
        &["redis"],
        &[
            &["longshore-memory", "axum", "hyper", "reqwest"],
            SQLITE,
            CASSANDRA,
            TERMINAL,
        ],
    );
    assert_none(
        "longshore",
        &["cassandra"],
        &[
            &["longshore-memory", "axum", "hyper", "reqwest"],
            SQLITE,
            REDIS,
            TERMINAL,
        ],
    );
}

#[test]
fn the_library_has_no_terminal_and_without_routes_no_http() {
    assert_none("longshore", &[], &[TERMINAL, HTTP, ROUTES, SQLITE]);
    assert_none(
        "longshore",
        &["sqlite", "memory"],
        &[TERMINAL, HTTP, ROUTES],
    );
    assert_none("longshore-routes", &[], &[TERMINAL, &["axum"]]);
}

#[test]
fn the_lists_above_name_what_is_really_there() {
    // A list of crates that nobody uses would pass every test above.
    let all = Crates::everything();
    for list in [
        ROUTES,
        SQLITE,
        REDIS,
        CASSANDRA,
        &[
            "clap",
            "comfy-table",
            "indicatif",
            "axum",
            "reqwest",
            "tokio",
        ],
    ] {
        for name in list {
            assert!(
                all.contains(*name),
                "{name} is in no build: is it called otherwise now?"
            );
        }
    }
}

#[test]
fn one_tls_stack_and_nothing_abandoned() {
    let all = Crates::everything();
    let banned = [
        "ring",
        "openssl",
        "openssl-sys",
        "native-tls",
        "serde_yaml",
        "bincode",
        "async-std",
    ];
    for name in banned {
        assert!(
            !all.contains(name),
            "{name} is in the tree; `cargo tree -i {name}` says why"
        );
    }
}
