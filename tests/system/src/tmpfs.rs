//! A disk that is soon full.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Place;

/// A tmpfs of a few megabytes, unmounted after the test.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

/// Set where a test runs again in a namespace of its own.
const INSIDE: &str = "LONGSHORE_TEST_INSIDE_NAMESPACE";

impl SmallDisk {
    /// Mounts one. `None` where the environment says aloud that there is to be none
    /// (`./tests/run --without tmpfs`), and where this user may not mount but `test`, the calling
    /// test, has passed in a mount namespace of its own.
    ///
    /// # Panics
    ///
    /// When it cannot be mounted and nobody said so: a test that is not run is not a test that
    /// passed.
    pub fn mount(place: &Place, mebibytes: u32, test: &str) -> Option<Self> {
        let without = env::var("LONGSHORE_TEST_WITHOUT").unwrap_or_default();
        if without.split_whitespace().any(|name| name == "tmpfs") {
            eprintln!("left out, as told: a full disk");
            return None;
        }
        let folder = place.path("small-disk");
        fs::create_dir(&folder).expect("a folder can be made");
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
            .arg(&folder);
        let output = command.output();
        if output.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        assert!(
            env::var_os(INSIDE).is_none() && passes_inside(test),
            "a small tmpfs cannot be mounted ({output:?}), and the test does not pass in a \
             namespace of its own either: run as root, or say `./tests/run --without tmpfs`",
        );
        None
    }

    /// A path on it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that a failed test left behind may still have a file open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Runs one test again where this user may mount, and says whether it passed.
fn passes_inside(test: &str) -> bool {
    let program = env::current_exe().expect("a test knows its own path");
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount"])
        .arg(program);
    command
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1");
    let output = command.output();
    let Ok(output) = output else {
        eprintln!("unshare: {output:?}");
        return false;
    };
    let told = String::from_utf8_lossy(&output.stdout);
    eprintln!(
        "in a namespace:\n{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.status.success() && told.contains("1 passed")
}
