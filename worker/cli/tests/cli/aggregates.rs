//! `aggregates`, and aggregate steps whose workers are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Child;
use std::time::{Duration, Instant};

use longshore_redis_server::Server;
use serde_json::Value;

use super::stage::{Stage, until};

const ROUTES: &str = r#"
[[route]]
name = "carts"
from = { queue = "orders" }
[[route.step]]
aggregate = { by = "{{ body.k }}", to = "out", size = 5, idle = "700ms" }
"#;

impl Stage {
    fn orders(&self, lines: &str) {
        let ended = self.feed(&["enqueue", "orders", "--lines", "-"], lines.as_bytes());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }

    /// Runs the routes until nothing can be done; open epochs that no time completes end it with 4.
    fn collect(&self, routes: &str) {
        self.write("r.toml", routes);
        let ended = self.run(&["run", "r.toml", "--until-idle"]);
        assert!(matches!(ended.code, Some(0 | 4)), "{}", ended.stderr);
    }
}

#[test]
fn what_is_collected_is_listed_shown_closed_and_discarded() {
    let stage = Stage::new();
    stage.orders("{\"k\":\"ann\"}\n{\"k\":\"bob\"}\n{\"k\":\"ann\"}\n");
    stage.collect(&ROUTES.replace(", idle = \"700ms\"", ""));
    let listed = stage.run(&["aggregates", "list"]);
    let line = listed.text().lines().nth(1).unwrap().to_owned();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[..4], ["carts", "2", "3", "0"], "{line}");
    let epochs = stage.json(&["aggregates", "list", "carts", "--json"]);
    let keys: Vec<_> = epochs
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["key"])
        .collect();
    assert_eq!(keys, ["ann", "bob"]);
    assert_eq!(
        (&epochs[0]["parts"], &epochs[0]["missing"]),
        (&2.into(), &3.into())
    );
    let some = stage.json(&[
        "aggregates",
        "list",
        "carts",
        "--where",
        "parts<2",
        "--json",
    ]);
    assert_eq!(some.as_array().unwrap().len(), 1);
    let shown = stage.json(&["aggregates", "show", "carts", "ann", "--json"]);
    assert_eq!(shown[0]["parts_in_order"][1]["body"], "{\"k\":\"ann\"}");
    let noted = stage.run(&["queues"]);
    assert!(
        noted
            .stderr
            .contains("3 messages are being collected in 2 epochs"),
        "{}",
        noted.stderr
    );
    let doctor = stage.run(&["doctor"]);
    assert!(
        doctor
            .text()
            .contains("aggregate carts: 2 epochs open and 0 closed"),
        "{}",
        doctor.text()
    );

    let dry = stage.run(&["aggregates", "close", "carts", "--all", "--dry-run"]);
    assert_eq!(dry.text().trim(), "2 epochs would be closed");
    let closed = stage.run(&["aggregates", "close", "carts", "ann"]);
    assert_eq!(closed.text().trim(), "1 epoch closed");
    stage.collect(&ROUTES.replace(", idle = \"700ms\"", ""));
    assert_eq!(stage.queue("out")["waiting"], 1);
    let discarded = stage.run(&["aggregates", "discard", "carts", "bob", "--yes"]);
    assert_eq!(discarded.text().trim(), "1 epoch discarded");
    let numbers = stage.json(&["aggregates", "list", "--json"]);
    assert_eq!(
        (&numbers[0]["released"], &numbers[0]["discarded"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn what_is_not_there_and_what_nobody_confirmed_is_refused() {
    let stage = Stage::new();
    stage.orders("{\"k\":\"ann\"}\n");
    stage.collect(&ROUTES.replace(", idle = \"700ms\"", ""));
    let refused = |args: &[&str], code: i32, part: &str| stage.run(args).refused(code, part);
    refused(&["aggregates", "list", "cart"], 3, "did you mean carts?");
    refused(
        &["aggregates", "show", "carts", "eve"],
        3,
        "no open or closed epoch",
    );
    refused(
        &["aggregates", "close", "carts", "eve"],
        3,
        "no epoch of the aggregate",
    );
    refused(&["aggregates", "close", "carts", "--all"], 2, "add --yes");
    refused(&["aggregates", "discard", "carts", "ann"], 2, "add --yes");
    refused(
        &["aggregates", "list", "carts", "--where", "kez=1"],
        2,
        "did you mean key?",
    );
    refused(&["aggregates", "close", "carts"], 2, "<KEYS>");
}

/// A worker that does not outlive the test, however that ends.
struct Worker(Child);

impl Worker {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Three workers, one of which is killed every 200 ms and started anew, until all is released: each
/// part is in one released message.
fn killed(stage: &Stage, store: Option<&str>) {
    const PARTS: usize = 3_000;
    const KEYS: usize = 300;
    stage.write("r.toml", ROUTES.replace("name =", "lease = \"2s\"\nname ="));
    let with = |args: &[&str]| -> Vec<String> {
        let mut all = Vec::new();
        if let Some(store) = store {
            all.extend(["--store".to_owned(), store.to_owned()]);
        }
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        all
    };
    let mut lines = String::new();
    for n in 0..PARTS {
        writeln!(lines, "{{\"k\":\"k{}\",\"n\":{n}}}", n % KEYS).unwrap();
    }
    let stored = stage.feed(
        &with(&["enqueue", "orders", "--lines", "-"]),
        lines.as_bytes(),
    );
    assert_eq!(stored.code, Some(0), "{}", stored.stderr);
    let start = || Worker(stage.start(&with(&["run", "r.toml", "--quiet"])));
    let mut workers: Vec<Worker> = (0..3).map(|_| start()).collect();
    let until_killed = Instant::now() + Duration::from_secs(4);
    let mut next = 0;
    while Instant::now() < until_killed {
        std::thread::park_timeout(Duration::from_millis(200));
        workers[next % 3].kill();
        workers[next % 3] = start();
        next += 1;
    }
    until("all parts are released", || {
        let numbers = stage.json(&with(&["aggregates", "list", "--json"]));
        numbers[0]["released"] == PARTS
    });
    drop(workers);
    let out = stage.run(&with(&["peek", "out", "--limit", "3000", "--json"]));
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    let mut epochs = BTreeSet::new();
    let messages: Value = out.json();
    for message in messages.as_array().unwrap() {
        let headers = &message["headers"];
        let epoch = (
            headers["aggregate-key"].to_string(),
            headers["aggregate-epoch"].to_string(),
        );
        assert!(epochs.insert(epoch), "an epoch came twice: {headers}");
        let body: Vec<Value> = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
        for part in body {
            *seen.entry(part["n"].as_u64().unwrap()).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), PARTS, "parts are missing");
    assert!(seen.values().all(|times| *times == 1), "a part came twice");
}

#[test]
fn killed_workers_lose_and_double_no_part_on_sqlite() {
    killed(&Stage::new(), None);
}

#[test]
fn killed_workers_lose_and_double_no_part_on_redis() {
    let server = Server::start(&[]).expect("a Redis server");
    killed(&Stage::new(), Some(&server.url("")));
}
