//! A folder of its own for each test.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

use longshore_redis_server::Server;

/// A folder that is gone after the test, with a queue file, the lines of the handlers and the
/// output of every process in it.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    processes: Cell<u32>,
    /// Where the queues are, if not in a file.
    server: Option<Server>,
}

impl Place {
    /// A new one.
    ///
    /// # Panics
    ///
    /// When no folder can be made.
    #[expect(
        clippy::new_without_default,
        reason = "a folder is made, which is no default"
    )]
    pub fn new() -> Self {
        Self {
            folder: TempDir::with_prefix("longshore-system-").expect("a folder can be made"),
            processes: Cell::new(0),
            server: None,
        }
    }

    /// A new one whose queues are on a redis-server of its own.
    ///
    /// # Panics
    ///
    /// When no folder can be made, or no server starts.
    pub fn on_redis() -> Self {
        let mut place = Self::new();
        let server = Server::start_in(place.folder(), &[]);
        place.server = Some(server.unwrap_or_else(|missing| panic!("{missing}")));
        place
    }

    /// Whether the queues are in a file of this folder.
    pub fn has_file(&self) -> bool {
        self.server.is_none()
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of the queues.
    pub fn database(&self) -> PathBuf {
        self.path("queue.db")
    }

    /// The store in that file, or on the server.
    pub fn store(&self) -> String {
        match &self.server {
            Some(server) => server.url(""),
            None => format!("sqlite://{}", self.database().display()),
        }
    }

    /// A store in that file that forgets the last moments in a power cut, for tests that do not
    /// cut the power and have many messages.
    pub fn fast_store(&self) -> String {
        match &self.server {
            Some(server) => server.url(""),
            None => self.store() + "?sync=normal",
        }
    }

    /// Writes a file.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a file in the test's folder can be written");
        path
    }

    /// A name for the output of the next process.
    pub(crate) fn next_output(&self, name: &str) -> PathBuf {
        let number = self.processes.get() + 1;
        self.processes.set(number);
        self.path(&format!("{number:03}-{name}.out"))
    }
}

/// A test that failed shows what its processes said.
impl Drop for Place {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let Ok(entries) = fs::read_dir(self.folder.path()) else {
            return;
        };
        let mut outputs: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        outputs.retain(|path| path.extension().is_some_and(|ending| ending == "out"));
        outputs.sort();
        let shown = outputs.len().saturating_sub(12);
        for path in outputs.into_iter().skip(shown) {
            let text = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let lines: Vec<_> = text.lines().collect();
            let last = lines[lines.len().saturating_sub(15)..].join("\n");
            eprintln!("--- {}\n{last}", path.display());
        }
    }
}
