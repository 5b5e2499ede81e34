//! `longshore bench` by its real binary: every scenario in small, what it prints, what it leaves.
//!
//! Nothing here looks at how long anything took: figures are for people, counts are for tests.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const SCENARIOS: [&str; 7] = [
    "lifecycle",
    "callers",
    "flat",
    "pickup",
    "memory",
    "grouped",
    "drain",
];

fn bench(home: &Path, store: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command
        .current_dir(home)
        .env_remove("LONGSHORE_CONFIG")
        .env("LONGSHORE_STORE", store)
        .arg("bench")
        .args(args);
    command
}

/// Enough to run all of a scenario: several workers, several batches, the last one not full.
fn small(home: &Path, store: &str, scenario: &str) -> Output {
    let args = [
        "--json",
        "--scenario",
        scenario,
        "--messages",
        "101",
        "--batch",
        "10",
        "--rounds",
        "2",
        "--rate",
        "1000",
        "--waiting",
        "300",
        "--idle",
        "1",
    ];
    bench(home, store, &args).output().unwrap()
}

fn json(output: &Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {stderr}", output.status);
    assert_eq!(stderr, "", "nothing to complain about");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn left_behind(home: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(home).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

fn check_shape(report: &Value, scenario: &str, store: &str) {
    assert_eq!(report["scenario"], scenario);
    let settings = &report["settings"];
    assert_eq!(settings["store"], store);
    for (key, value) in [
        ("messages", 101),
        ("body_bytes", 256),
        ("batch", 10),
        ("workers", 2),
    ] {
        assert_eq!(settings[key], value, "{key}");
    }
    assert!(settings["cores"].as_u64().unwrap() >= 1);
    for line in report["ratios"].as_array().unwrap() {
        let name = &line["name"];
        let rounds = line["ratio"]["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 2, "{name}");
        for key in ["median", "lowest", "highest", "of_best"] {
            assert!(line["ratio"][key].as_f64().unwrap() > 0.0, "{name} {key}");
        }
        assert!(line["value"].as_f64().unwrap() > 0.0, "{name}");
        assert!(line["against_value"].as_f64().unwrap() > 0.0, "{name}");
    }
    for line in report["latencies"].as_array().unwrap() {
        let of = |key: &str| line[key].as_f64().unwrap();
        assert_eq!(line["count"], 101, "{}", line["name"]);
        assert!(of("p50_ms") <= of("p95_ms") && of("p95_ms") <= of("p99_ms"));
        assert!(of("p99_ms") <= of("max_ms"));
    }
    for line in report["figures"].as_array().unwrap() {
        assert!(line["value"].as_f64().unwrap() >= 0.0, "{}", line["name"]);
    }
    let check = &report["check"];
    assert!(check["expected"].as_u64().unwrap() >= 101);
    assert_eq!(check["seen"], check["expected"]);
    for key in ["missing", "doubled", "foreign", "left"] {
        assert_eq!(check[key], 0, "{key}");
    }
}

/// How many ratios, latencies and single figures a scenario has.
fn counts(report: &Value) -> [usize; 3] {
    ["ratios", "latencies", "figures"].map(|key| report[key].as_array().unwrap().len())
}

#[test]
fn every_scenario_in_memory() {
    let home = tempfile::tempdir().unwrap();
    for scenario in SCENARIOS {
        let report = json(&small(home.path(), "memory://bench", scenario));
        check_shape(&report, scenario, "memory");
        let expected = match scenario {
            "lifecycle" | "grouped" => [3, 4, 0],
            "callers" => [2, 0, 0],
            "flat" => [4, 0, 0],
            "pickup" => [0, 2, 0],
            _ => [1, 0, 0],
        };
        assert_eq!(counts(&report), expected, "{scenario}");
    }
    assert_eq!(left_behind(home.path()), Vec::<String>::new());
}

#[test]
fn every_scenario_on_sqlite_with_worker_processes() {
    let home = tempfile::tempdir().unwrap();
    // A store that is there is neither opened nor changed: this one could not even be opened.
    std::fs::write(home.path().join("mine.db"), "not a database").unwrap();
    for scenario in SCENARIOS {
        let store = "sqlite://./mine.db?sync=normal";
        let report = json(&small(home.path(), store, scenario));
        check_shape(&report, scenario, "sqlite");
        assert_eq!(report["settings"]["query"], "sync=normal");
        let expected = match scenario {
            "lifecycle" | "grouped" => [4, 4, 0],
            "drain" => [1, 0, 0],
            "callers" => [2, 0, 0],
            "flat" => [4, 0, 0],
            "pickup" => [0, 2, 1],
            _ if cfg!(target_os = "linux") => [1, 0, 1],
            _ => [1, 0, 0],
        };
        assert_eq!(counts(&report), expected, "{scenario}");
        assert_eq!(left_behind(home.path()), ["mine.db"], "{scenario}");
    }
    let mine = std::fs::read(home.path().join("mine.db")).unwrap();
    assert_eq!(mine, b"not a database");
}

#[test]
fn people_get_a_table_that_says_what_was_compared() {
    let home = tempfile::tempdir().unwrap();
    let args = ["--messages", "50", "--rounds", "1", "--rate", "1000"];
    let output = bench(home.path(), "memory://bench", &args)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "50 messages of 256 bytes, enqueued by 1000, received by 32, 2 workers, 1 rounds",
        "bulk enqueue",
        "raw batched inserts",
        "receive+settle",
        "closed loop: enqueue to delivery",
        "open loop, 1000/s: enqueue to ack",
        "All 150 messages came out exactly once.",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let refused = |store: &str, args: &[&str], code: i32, word: &str| {
        let output = bench(home.path(), store, args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(word), "{stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
        assert!(output.stdout.is_empty());
    };
    refused("memory://x", &["--messages", "0"], 2, "messages");
    refused("memory://x", &["--scenario", "lifecicle"], 2, "lifecycle");
    refused(
        "memory://x",
        &["--scenario", "memory", "--body", "1"],
        2,
        "JSON",
    );
    refused("memory://x", &["--scenario", "space"], 2, "server");
    refused("sqlite://./gone/q.db", &[], 3, "gone");
    refused("sqlite://./q.db?snyc=full", &[], 78, "sync");
    refused("redis://127.0.0.1:1/0", &[], 69, "redis://127.0.0.1:1");
    refused(
        "cassandra://127.0.0.1:1/k",
        &[],
        69,
        "cassandra://127.0.0.1:1/k",
    );
    assert_eq!(left_behind(home.path()), Vec::<String>::new());
}

#[test]
fn a_signal_ends_the_workers_and_removes_the_scratch_data() {
    let home = tempfile::tempdir().unwrap();
    let args = ["--scenario", "pickup", "--idle", "600"];
    let mut running = bench(home.path(), "sqlite://./q.db", &args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let bell = || {
        let folder = left_behind(home.path()).pop()?;
        let store = home.path().join(folder).join("0/queue.db-bell");
        store.exists().then_some(())
    };
    while bell().is_none() {
        assert!(
            Instant::now() < deadline,
            "the bench never opened its store"
        );
        std::thread::yield_now();
    }
    let pid = Pid::from_child(&running);
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(143));
    assert_eq!(left_behind(home.path()), Vec::<String>::new());
}
