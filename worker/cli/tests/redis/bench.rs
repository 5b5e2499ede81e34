//! `longshore bench` on a redis-server: every scenario in small, and no key stays.

use std::process::Command;

use serde_json::Value;

use longshore_redis_server::Server;

fn small(server: &Server, scenario: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .env_remove("LONGSHORE_CONFIG")
        .env(
            "LONGSHORE_STORE",
            format!("redis://127.0.0.1:{}/0", server.port()),
        )
        .args(["bench", "--json", "--scenario", scenario])
        .args(["--messages", "101", "--batch", "10", "--rounds", "2"])
        .args(["--rate", "1000", "--waiting", "300", "--beside", "50"])
        .args(["--groups", "7", "--workers", "2", "--idle", "1"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scenario}: {stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_scenario_on_redis_leaves_no_key() {
    let server = Server::start(&[]).unwrap();
    for (scenario, expected) in [
        ("lifecycle", [6, 4, 0]),
        ("grouped", [6, 4, 0]),
        ("callers", [2, 0, 0]),
        ("flat", [6, 0, 0]),
        ("pickup", [0, 2, 1]),
        ("drain", [1, 0, 0]),
        ("idle", [0, 0, 1]),
        ("space", [1, 0, 2]),
    ] {
        let report = small(&server, scenario);
        let counts = ["ratios", "latencies", "figures"]
            .map(|key| report[key].as_array().map_or(0, Vec::len));
        assert_eq!(counts, expected, "{scenario}: {report}");
        assert_eq!(report["check"]["missing"], 0, "{scenario}");
        assert_eq!(server.says("DBSIZE").unwrap(), ":0", "{scenario}");
    }
}
