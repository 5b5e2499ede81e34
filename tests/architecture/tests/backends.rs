//! Every backend looks alike from outside and runs the same suite.

use std::fs;

use longshore_architecture_tests::root;

/// The files that a reader finds in every backend, at its root or in one of its folders.
const SAME: &[&str] = &[
    "admin.rs",
    "adopt.rs",
    "change.rs",
    "clock.rs",
    "config.rs",
    "dead.rs",
    "enqueue.rs",
    "floor.rs",
    "lease.rs",
    "lib.rs",
    "open.rs",
    "pages.rs",
    "progress.rs",
    "receipt.rs",
    "receive.rs",
    "schema.rs",
    "settle.rs",
    "store.rs",
    "workers.rs",
];

/// The folders below `backends/` that are crates.
fn backends() -> Vec<String> {
    let entries = fs::read_dir(root().join("backends")).expect("the backends are there");
    let folders = entries
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file());
    let mut names: Vec<_> = folders
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn the_backends_are_found() {
    assert!(backends().len() >= 2, "{:?}", backends());
}

#[test]
fn every_backend_has_the_same_files() {
    for backend in backends() {
        let source = root().join("backends").join(&backend).join("src");
        let folders = fs::read_dir(&source).expect("a crate has sources");
        let mut places: Vec<_> = folders.flatten().map(|entry| entry.path()).collect();
        places.push(source);
        for file in SAME {
            assert!(
                places.iter().any(|place| place.join(file).is_file()),
                "{backend} has no {file} in src/ or a folder of it, where the others keep that part"
            );
        }
    }
}

#[test]
fn every_backend_runs_the_suite() {
    for backend in backends() {
        let folder = root().join("backends").join(&backend);
        let places = ["tests/conformance.rs", "tests/conformance/main.rs"];
        let mut found = places.iter().map(|place| folder.join(place));
        let test = found.find_map(|place| fs::read_to_string(place).ok());
        let test = test.unwrap_or_else(|| panic!("{backend} has none of {places:?}"));
        assert!(
            test.contains("longshore_conformance::"),
            "{backend} runs another suite"
        );
        assert!(
            test.lines().count() <= 120,
            "{backend}: what every store needs belongs in the suite"
        );
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        assert!(
            manifest.contains("name = \"conformance\"\nharness = false"),
            "{backend}: each case is to be a test of its own name"
        );
    }
}

#[test]
fn every_backend_is_in_the_registry() {
    let mut registry = String::new();
    for entry in fs::read_dir(root().join("backends/src"))
        .expect("the registry is there")
        .flatten()
    {
        registry += &fs::read_to_string(entry.path()).unwrap_or_default();
    }
    for backend in backends() {
        assert!(
            registry.contains(&format!("longshore_{backend}::")),
            "{backend} is not registered"
        );
    }
}
