//! A crate outside of this repository that only produces on one store: it builds, it works, and
//! it brings no command line, HTTP stack or other store along.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Crates that such a producer must not pay for.
const UNWANTED: &[&str] = &[
    "axum",
    "clap",
    "crossterm",
    "hyper",
    "indicatif",
    "minijinja",
    "redis",
    "reqwest",
    "rustls",
    "scylla",
    "toml",
];

fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap().to_owned()
}

/// The crate, copied to a folder that may be written to, with the locked versions of this
/// repository: nothing has to be fetched for it.
fn copy() -> PathBuf {
    let from = repository().join("tests/minimal-producer");
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("minimal-producer");
    fs::create_dir_all(to.join("src")).unwrap();
    let manifest = fs::read_to_string(from.join("Cargo.toml")).unwrap();
    let library = format!("{:?}", env!("CARGO_MANIFEST_DIR"));
    let outside = manifest.replace("\"../../worker\"", &library);
    assert_ne!(manifest, outside, "the crate names the library by its path");
    fs::write(to.join("Cargo.toml"), outside).unwrap();
    fs::copy(from.join("src/main.rs"), to.join("src/main.rs")).unwrap();
    fs::copy(repository().join("Cargo.lock"), to.join("Cargo.lock")).unwrap();
    to
}

fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let ran = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", test.ancestors().nth(3).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "cargo {arguments:?} failed: {said}");
    ran
}

#[tokio::test]
async fn a_producer_of_one_store_builds_works_and_stays_small() {
    let folder = copy();
    let tree = cargo(&folder, &["tree", "--edges", "normal", "--prefix", "none"]);
    let tree = String::from_utf8(tree.stdout).unwrap();
    let names: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(names.contains(&"rusqlite"), "it has the store it asked for");
    for unwanted in UNWANTED {
        assert!(
            !names.contains(unwanted),
            "it brings {unwanted} along:\n{tree}"
        );
    }

    let scratch = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/queue.db", scratch.path().display());
    let ran = cargo(&folder, &["run", "--quiet", "--", &url]);
    let id = String::from_utf8(ran.stdout).unwrap();
    let connection = longshore::connect(&url).await.unwrap();
    let name = longshore::QueueName::new("mail").unwrap();
    let found = connection
        .backend()
        .admin
        .find(&name, id.trim().parse().unwrap());
    let longshore::core::Found::Message(stored) = found.await.unwrap() else {
        panic!("{id} is not in the store");
    };
    assert_eq!(stored.message().unwrap().body, "{\"name\":\"Ada\"}");
}
