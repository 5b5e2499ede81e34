//! Crates outside of this repository: one that only produces on one store builds, works, and brings
//! no command line, HTTP stack or other store along; the program of the README builds and works
//! with the dependencies that stand above it.
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

/// The first block of the README that is marked so.
fn readme_block(readme: &str, mark: &str) -> String {
    let fence = format!("```{mark}\n");
    let (_, behind) = readme.split_once(&fence).unwrap();
    let (block, _) = behind.split_once("```").unwrap();
    block.to_owned()
}

#[test]
fn the_program_of_the_readme_builds_with_the_dependencies_it_names() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme-program");
    fs::create_dir_all(folder.join("src")).unwrap();
    let named = readme_block(&readme, "toml");
    let library = format!("{:?}", env!("CARGO_MANIFEST_DIR"));
    let dependencies = named.replace("\"../longshore/worker\"", &library);
    assert_ne!(named, dependencies, "the library is named by its path");
    let head = "[package]\nname = \"readme-program\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                [workspace]\n[profile.dev]\ndebug = \"line-tables-only\"\n";
    fs::write(folder.join("Cargo.toml"), format!("{head}{dependencies}")).unwrap();
    fs::write(folder.join("src/main.rs"), readme_block(&readme, "rust")).unwrap();
    fs::copy(repository().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let ran = cargo(&folder, &["run", "--quiet"]);
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(printed.contains("attempt 1: "), "{printed}");
    assert!(printed.contains("at 64 pixels"), "{printed}");
}
