//! `longshore bench` on a redis-server: every scenario in small, and no key stays.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running redis-server.
struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts; install it: apt install redis-server");
        let server = Self {
            child,
            port,
            _folder: folder,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while server.says("PING").as_deref() != Some("+PONG") {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::yield_now();
        }
        server
    }

    /// The first line of the answer to a command.
    fn says(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        write!(stream, "{command}\r\n").ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn small(server: &Server, scenario: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .env_remove("LONGSHORE_CONFIG")
        .env(
            "LONGSHORE_STORE",
            format!("redis://127.0.0.1:{}/0", server.port),
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
    let server = Server::start();
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
