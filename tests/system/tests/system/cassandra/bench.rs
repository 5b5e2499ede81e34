//! `longshore bench` on the cluster: a small one, beside the raw floor.

use longshore_system_tests::{CassandraCluster, Cli};
use serde_json::Value;

/// Few, but so many that a transaction for each is far more than processes take for
/// themselves.
const MESSAGES: u64 = 300;

/// All figures that docs/benchmarks.md names are measured, and no message is lost, doubled or left
/// behind.
#[test]
fn bench_measures_beside_the_floor_and_loses_nothing() {
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    // A busy machine makes calls slow, and only loses what bench gives up.
    let cli = Cli::new(format!("{}&timeout=60s", cluster.store()));
    let messages = MESSAGES.to_string();
    let report = cli.json(&[
        "bench",
        "--messages",
        &messages,
        "--rounds",
        "1",
        "--rate",
        "20",
    ]);
    check_ratios(&report);
    let check = &report["check"];
    assert!(check["expected"].as_u64() > Some(2 * MESSAGES), "{report}");
    assert_eq!(check["seen"], check["expected"], "{report}");
    for key in ["missing", "doubled", "foreign", "left"] {
        assert_eq!(check[key], 0, "{key} of {report}");
    }
    // Signs of life and who owns what take some; that there are any says that they are counted.
    let transactions = figure(&report, "lightweight transactions", "a message");
    assert!(transactions > 0.0 && transactions < 1.0, "{report}");
    assert!(figure(&report, "lightweight transactions", "a second") > 0.0);
    let mutations = "mutations a message";
    assert!(figure(&report, "rows written, by all replicas", mutations) > 0.0);
    let passed = figure(&report, "deleted rows passed by one read, at most", "rows");
    assert!((0.0..=100.0).contains(&passed), "{report}");
}

fn check_ratios(report: &Value) {
    let ratios = report["ratios"].as_array().expect("a list of ratios");
    let pairs = ratios
        .iter()
        .map(|line| [&line["name"], &line["against"]].map(Value::as_str));
    let expected = [
        ["bulk enqueue", "raw batched inserts"],
        ["receive+settle", "raw claim+delete"],
        ["whole life", "raw whole life"],
        ["whole life, processor time", "raw processor time"],
    ];
    assert!(pairs.eq(expected.map(|pair| pair.map(Some))), "{report}");
    for line in ratios {
        let values = [
            &line["value"],
            &line["against_value"],
            &line["ratio"]["median"],
        ];
        let measured = |value: &Value| value.as_f64().is_some_and(|value| value > 0.0);
        assert!(values.into_iter().all(measured), "{line}");
    }
}

/// The figure of a name and a unit.
fn figure(report: &Value, name: &str, unit: &str) -> f64 {
    let figures = report["figures"].as_array().expect("a list of figures");
    let found = figures
        .iter()
        .find(|line| line["name"] == name && line["unit"] == unit);
    let value = found.and_then(|line| line["value"].as_f64());
    value.unwrap_or_else(|| panic!("no {name} {unit}: {report}"))
}
