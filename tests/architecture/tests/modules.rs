//! Within a crate modules lie in layers: none names another that names it, directly or round
//! about.

use longshore_architecture_tests::{Modules, Source, rust_sources, text_files, without_tests};

fn shipped() -> Vec<Source> {
    let all = rust_sources().into_iter();
    all.map(|source| Source {
        text: without_tests(&source.text).to_owned(),
        ..source
    })
    .collect()
}

/// The folders of the crates that have modules.
fn crates() -> Vec<String> {
    let manifests = text_files(&["toml"]).into_iter();
    manifests
        .filter_map(|source| source.path.strip_suffix("/Cargo.toml").map(str::to_owned))
        .collect()
}

#[test]
fn no_modules_of_a_crate_go_in_circles() {
    let sources = shipped();
    let mut found = Vec::new();
    for folder in crates() {
        for circle in Modules::of(&folder, &sources).circles() {
            found.push(format!("{folder}:\n  {}", circle.join("\n  ")));
        }
    }
    assert!(
        found.is_empty(),
        "move what both need to a file of its own:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_crates_are_found() {
    let crates = crates();
    for folder in [
        "core",
        "worker",
        "worker/cli",
        "backends/sqlite",
        "tests/system",
    ] {
        assert!(crates.iter().any(|found| found == folder), "{crates:?}");
    }
}
