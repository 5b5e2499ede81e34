//! A disk that is soon full.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Place;

/// A tmpfs of a few megabytes, unmounted after the test.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one, or `None` where the environment says aloud that there is to be none
    /// (`./tests/run --without tmpfs`).
    ///
    /// # Panics
    ///
    /// When it cannot be mounted and nobody said so: a test that is not run is not a test that
    /// passed.
    pub fn mount(place: &Place, mebibytes: u32) -> Option<Self> {
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
        let mounted = output.as_ref().is_ok_and(|output| output.status.success());
        assert!(
            mounted,
            "a small tmpfs cannot be mounted ({output:?}): run as root, or say \
             `./tests/run --without tmpfs`",
        );
        Some(Self(folder))
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
