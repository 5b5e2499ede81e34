//! What every manifest takes from the one table in the root.

use std::fs;

use longshore_architecture_tests::{Crates, root};

fn manifest(folder: &str) -> String {
    let path = root().join(folder).join("Cargo.toml");
    fs::read_to_string(path).expect("a member has a manifest")
}

#[test]
fn members_take_lints_versions_and_licence_from_the_root() {
    for (name, folder) in Crates::read().folders() {
        let text = manifest(&folder);
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{name} has lints of its own"
        );
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            let line = format!("{key}.workspace = true");
            assert!(text.lines().any(|found| found == line), "{name}: {line}");
        }
    }
}

#[test]
fn versions_of_dependencies_stand_in_the_root_alone() {
    for (name, folder) in Crates::read().folders() {
        let text = manifest(&folder);
        let mut in_dependencies = false;
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies]");
            } else if in_dependencies && line.contains('=') {
                let own = line.contains("version =") || line.contains("= \"");
                let own = own && !line.contains("workspace") && !line.contains("path = \".\"");
                assert!(!own, "{name} has a version of its own: {line}");
            }
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_for_all() {
    let text = manifest("");
    assert!(text.contains("unsafe_code = \"forbid\""));
}
