//! Workers that collect are killed all the time: each part is in one released message.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use longshore_system_tests::{CassandraCluster, Cli, LONGSHORE, Place, Process, until};
use serde_json::Value;

const PARTS: u64 = 3_000;
const KEYS: u64 = 300;
/// How long workers are killed, and after how long the next one is.
const KILLING: (Duration, Duration) = (Duration::from_secs(4), Duration::from_millis(200));
const PATIENCE: Duration = Duration::from_secs(120);

const ROUTE: &str = "[[route]]\nname = 'carts'\nlease = '2s'\nfrom = { queue = 'orders' }\n\
                     [[route.step]]\n\
                     aggregate = { by = '{{ body.k }}', to = 'out', size = 10 }\n";

/// Three workers, one of which is killed every 200 ms and started anew, until all is released.
fn killed_workers_lose_and_double_no_part(place: &Place, store: &str) {
    let cli = Cli::new(store);
    let routes = place.write("routes.toml", ROUTE).display().to_string();
    let line = |n| format!("{{\"k\":\"k{}\",\"n\":{n}}}\n", n % KEYS);
    let lines: String = (0..PARTS).map(line).collect();
    let stored = cli.call_with(&["enqueue", "orders", "--lines", "-"], lines.as_bytes());
    assert_eq!(stored.json()["stored"], PARTS, "{stored:?}");
    let arguments = ["--store", store, "run", &routes, "--quiet"];
    let start = || Process::start(place, LONGSHORE, arguments, &[]);
    let mut workers: Vec<_> = (0..3).map(|_| start()).collect();
    let began = Instant::now();
    let mut next = 0;
    while began.elapsed() < KILLING.0 {
        park_timeout(KILLING.1);
        workers[next % 3].kill();
        workers[next % 3] = start();
        next += 1;
    }
    until("all parts are released", PATIENCE, || {
        cli.json(&["aggregates", "list"])[0]["released"] == PARTS
    });
    drop(workers);
    let limit = PARTS.to_string();
    let messages = cli.json(&["peek", "out", "--limit", &limit]);
    let mut epochs = BTreeSet::new();
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    for message in messages.as_array().expect("a list") {
        let headers = &message["headers"];
        let epoch = ["aggregate-key", "aggregate-epoch"].map(|name| headers[name].to_string());
        assert!(epochs.insert(epoch), "an epoch came twice: {headers}");
        let body = message["body"].as_str().expect("a text");
        let parts: Vec<Value> = serde_json::from_str(body).expect("JSON");
        for part in parts {
            *seen
                .entry(part["n"].as_u64().expect("a number"))
                .or_default() += 1;
        }
    }
    assert_eq!(seen.len() as u64, PARTS, "parts are missing");
    assert!(seen.values().all(|times| *times == 1), "a part came twice");
}

#[test]
fn killed_workers_lose_and_double_no_part_on_sqlite() {
    let place = Place::new();
    killed_workers_lose_and_double_no_part(&place, &place.store());
}

#[test]
fn killed_workers_lose_and_double_no_part_on_redis() {
    let place = Place::on_redis();
    killed_workers_lose_and_double_no_part(&place, &place.store());
}

#[test]
fn killed_workers_lose_and_double_no_part_on_cassandra() {
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    killed_workers_lose_and_double_no_part(&Place::new(), &cluster.store());
}
