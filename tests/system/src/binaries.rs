//! The programs under test, built once.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The command line.
pub const LONGSHORE: &str = "longshore";
/// A worker on the library that does what its jobs say; `src/bin/system-worker.rs`.
pub const WORKER: &str = "system-worker";
/// A producer on the library that says what was stored; `src/bin/system-producer.rs`.
pub const PRODUCER: &str = "system-producer";

/// The path of a program of this workspace, in the profile that the tests run in.
///
/// # Panics
///
/// When the programs cannot be built.
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(name)
}

/// Builds all programs; where `tests/run` has just done so this is a look and no more. The same
/// packages as there, with a test beside them as there, so that no crate is compiled twice with
/// other features.
fn build() -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("tests are built below the programs");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked", "--workspace"]);
    command.args(["--bins", "--test", "system"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let target = folder.parent().expect("a profile has a folder of its own");
    command.arg("--target-dir").arg(target);
    let status = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo starts");
    assert!(status.success(), "the programs under test do not build");
    folder.to_path_buf()
}
