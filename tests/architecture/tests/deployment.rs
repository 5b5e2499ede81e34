//! The files for machines that run longshore: what can be said of them without a container
//! engine and without systemd.

use std::fs;
use std::process::Command;
use std::time::Duration;

use longshore_architecture_tests::{Compose, UnitFile, root, seconds};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The drain budget of a route file; the documented default where it names none.
fn drain(path: &str) -> Duration {
    let text = read(path);
    let named = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("drain = "));
    let named = named.map(|value| value.split('#').next().unwrap_or_default());
    let default = Duration::from_secs(45);
    named.map_or(default, |value| {
        seconds(value).expect("a drain budget is a span")
    })
}

fn unit() -> UnitFile {
    UnitFile::parse(&read("packaging/systemd/longshore-worker.service"))
}

fn compose() -> Compose {
    Compose::parse(&read("compose.yaml"))
}

#[test]
fn systemd_waits_longer_than_a_drain_takes() {
    let unit = unit();
    let stop = unit
        .get("Service", "TimeoutStopSec")
        .and_then(seconds)
        .expect("a stop time-out");
    assert!(stop >= drain("examples/compose/routes.toml") + Duration::from_secs(10));
}

#[test]
fn systemd_signals_the_worker_alone_and_does_not_restart_a_wrong_configuration() {
    let unit = unit();
    assert_eq!(unit.get("Service", "KillMode"), Some("mixed"));
    assert_eq!(unit.get("Service", "RestartPreventExitStatus"), Some("78"));
    assert_eq!(unit.get("Service", "Type"), Some("notify"));
    assert_ne!(unit.get("Service", "User"), Some("root"));
}

#[test]
fn compose_waits_longer_than_a_drain_takes() {
    let compose = compose();
    let stop = compose
        .value("x-longshore.stop_grace_period")
        .and_then(seconds);
    let stop = stop.expect("a grace period");
    assert!(stop >= drain("examples/compose/routes.toml") + Duration::from_secs(10));
}

#[test]
fn compose_mounts_files_that_are_there_and_publishes_on_loopback_only() {
    let compose = compose();
    let volumes = compose.values("x-longshore.volumes");
    let bound: Vec<_> = volumes
        .iter()
        .filter(|volume| volume.starts_with("./"))
        .collect();
    assert!(!bound.is_empty(), "no file is mounted");
    for volume in bound {
        let file = volume.split(':').next().unwrap_or_default();
        assert!(
            root().join(file).is_file(),
            "{file} is mounted but not there"
        );
    }
    for port in compose
        .values("services.worker.ports")
        .into_iter()
        .filter(|port| !port.is_empty())
    {
        assert!(
            port.starts_with("127.0.0.1:"),
            "{port} is open to the network"
        );
    }
}

#[test]
fn compose_runs_a_worker_and_a_producer_on_one_store() {
    let compose = compose();
    let store = compose
        .value("x-longshore.environment.LONGSHORE_STORE")
        .expect("a store");
    assert!(store.starts_with("sqlite:///"));
    let folder = store
        .trim_start_matches("sqlite://")
        .rsplit_once('/')
        .map(|(folder, _)| folder);
    let volume = format!("queue:{}", folder.unwrap_or_default());
    assert!(
        compose
            .values("x-longshore.volumes")
            .contains(&volume.as_str()),
        "{store} is on no volume"
    );
    let worker = compose.value("services.worker.command").expect("a worker");
    assert!(worker.contains("\"run\", \"/etc/longshore/routes.toml\""));
    assert!(
        read("compose.yaml").contains("longshore enqueue orders"),
        "nobody produces"
    );
}

#[test]
fn compose_runs_the_cassandra_of_the_tests_and_its_schema_before_its_worker() {
    let compose = compose();
    let pom = read("tests/cassandra/pom.xml");
    let tested = pom
        .split_once("<artifactId>cassandra-all</artifactId>")
        .and_then(|(_, rest)| rest.split_once("<version>")?.1.split_once("</version>"))
        .map(|(version, _)| format!("cassandra:{version}${{CASSANDRA_DIGEST:-}}"));
    assert_eq!(
        compose.value("x-cassandra.image"),
        tested.as_deref(),
        "compose.yaml and tests/cassandra/pom.xml name different versions"
    );
    assert!(compose.value("x-cassandra.healthcheck.test").is_some());
    let waits = |service: &str, on: &str| {
        let path = format!("services.{service}.depends_on.{on}.condition");
        compose.value(&path).map(str::to_owned)
    };
    let healthy = Some("service_healthy".to_owned());
    for (service, on) in [
        ("cassandra-2", "cassandra"),
        ("cassandra-3", "cassandra-2"),
        ("schema-cassandra", "cassandra-3"),
    ] {
        assert_eq!(waits(service, on), healthy, "{service}");
    }
    assert_eq!(
        compose.value("services.schema-cassandra.command"),
        Some("[\"schema\", \"apply\"]")
    );
    assert_eq!(
        waits("worker-cassandra", "schema-cassandra").as_deref(),
        Some("service_completed_successfully")
    );
    let store = |service: &str| {
        let path = format!("services.{service}.environment.LONGSHORE_STORE");
        compose.value(&path).expect("a store").to_owned()
    };
    assert_eq!(
        store("worker-cassandra"),
        store("schema-cassandra") + "&schema=manual",
        "the tables of one keyspace are made by the job alone"
    );
    let worker = compose.value("services.worker-cassandra.command");
    assert_eq!(worker, compose.value("services.worker-redis.command"));
}

#[test]
fn the_image_is_built_from_the_lock_file_and_does_not_run_as_root() {
    let text = read("Dockerfile");
    assert!(text.contains("cargo build --release --locked --package longshore-cli"));
    let user = text
        .lines()
        .rfind(|line| line.starts_with("USER "))
        .expect("a user");
    assert!(!user.contains("root") && user != "USER 0");
    assert!(text.lines().any(|line| line == "STOPSIGNAL SIGTERM"));
}

/// With a stand-in for docker that knows one digest.
#[test]
fn every_image_of_others_can_be_pinned() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let folder = std::env::temp_dir().join(format!("longshore-pin-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let docker = folder.join("docker");
    fs::write(&docker, format!("#!/bin/sh\necho {digest}\n")).expect("a stand-in");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&docker, mode).expect("it can be run");
    let path = std::env::var("PATH").unwrap_or_default();
    let pinned = Command::new(root().join("packaging/pin-images"))
        .env("PATH", format!("{}:{path}", folder.display()))
        .output()
        .expect("it starts");
    fs::remove_dir_all(&folder).expect("it goes");
    assert!(pinned.status.success(), "{pinned:?}");
    let pinned = String::from_utf8_lossy(&pinned.stdout).into_owned();
    let (compose, docker) = (read("compose.yaml"), read("Dockerfile"));
    let images = compose.lines().chain(docker.lines()).filter_map(|line| {
        let line = line.trim();
        line.strip_prefix("image: ")
            .or_else(|| line.strip_prefix("FROM "))
    });
    let images: Vec<_> = images.filter(|image| *image != "longshore").collect();
    assert!(images.len() >= 4, "{images:?}");
    for image in images {
        let (_, variable) = image
            .split_once("_DIGEST")
            .map_or((image, ""), |(before, _)| {
                (before, before.rsplit("${").next().unwrap_or_default())
            });
        let line = format!("{variable}_DIGEST=@{digest}");
        assert!(
            !variable.is_empty() && pinned.contains(&line),
            "{image}: {pinned}"
        );
    }
}

#[test]
fn the_image_is_built_with_a_rust_that_is_new_enough() {
    let version = |text: &str| -> (u32, u32) {
        let mut parts = text
            .trim_matches('"')
            .split('.')
            .map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    };
    let manifest = read("Cargo.toml");
    let least = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let docker = read("Dockerfile");
    let used = docker
        .lines()
        .find_map(|line| line.strip_prefix("ARG RUST_VERSION="));
    assert!(version(used.expect("a version")) >= version(least.expect("an MSRV")));
}
