//! Every example runs to its end by itself and says what it is there to show.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// An example and a line it must print.
const EXAMPLES: &[(&str, &str)] = &[
    ("aggregate", "ann: 49 EUR"),
    ("batch", "2499 stored, 1 missing"),
    ("blocking", "the sum up to 10000 is 50005000"),
    ("checkpoint", "attempt 2: page 4"),
    ("delay_and_priority", "expired: 1"),
    ("embedded", "2 acked, 0 dead"),
    ("groups", "order-2: sent"),
    ("hello", "Hello, Ada!"),
    ("middleware", "ping: Ok(Done)"),
    ("retries", "dead after 6 attempts: exhausted"),
    ("state", "42 EUR"),
    ("test_kit", "all as it should be"),
    ("typed_handler", "[Acked]"),
];

/// Where this test itself was built.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.env("CARGO_TARGET_DIR", target().parent().unwrap());
    cargo
}

#[test]
fn every_example_runs_and_shows_its_point() {
    let built = cargo()
        // All packages, as the tests are built: for this one alone much would be built again.
        .args(["build", "--quiet", "--offline", "--workspace", "--examples"])
        .status()
        .unwrap();
    assert!(built.success());
    for (name, line) in EXAMPLES {
        let program = target().join("examples").join(name);
        let ran = Command::new(&program).output().unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr),
        );
        assert!(ran.status.success(), "{name} failed: {err}");
        let shown = out.lines().any(|shown| shown.trim() == *line);
        assert!(shown, "{name} does not print {line:?}:\n{out}");
    }
}

#[test]
fn every_example_is_listed_above_and_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let listed = EXAMPLES.iter().any(|(listed, _)| *listed == name);
        assert!(listed, "{name} is run by no test");
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines < 60, "{name} has {lines} lines");
    }
}
