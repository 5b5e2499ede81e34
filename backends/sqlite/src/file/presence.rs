//! Whether the files that are open are still those at their paths.
//!
//! A database that is removed, replaced by a backup or moved with its folder stays open: SQLite
//! goes on writing a file that nobody else will ever read. So the files are known by device and
//! inode, and looked at before a call and after each commit.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use longshore_core::{Result, StoreError, StoreErrorKind};

use crate::file::location::FileLocation;

/// A look is believed for this long before a call; after a commit none is.
const BELIEVED_FOR: Duration = Duration::from_millis(50);
/// The companions are looked at this often: without them writers and receivers are slower and no
/// message is lost.
const COMPANIONS_EACH: Duration = Duration::from_secs(1);

/// A file as it was opened.
#[derive(Debug)]
struct Known {
    path: PathBuf,
    id: (u64, u64),
}

impl Known {
    fn of(path: &std::path::Path) -> std::io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            id: id(&fs::metadata(path)?),
        })
    }

    /// What became of it; `None` if it is there. A look that fails otherwise says nothing.
    fn missing(&self) -> Option<Gone> {
        let became = match fs::metadata(&self.path) {
            Ok(found) if id(&found) == self.id => return None,
            Ok(_) => "replaced by another file",
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "removed or moved",
            Err(_) => return None,
        };
        Some(Gone {
            path: self.path.clone(),
            became,
        })
    }
}

fn id(meta: &fs::Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// A file that is not where it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Gone {
    path: PathBuf,
    became: &'static str,
}

impl Gone {
    /// The error of a call that met it.
    pub(crate) fn error(&self, operation: &'static str) -> StoreError {
        let message = format!(
            "a file of the database was {} while it was open; put it back or stop what does that, \
             and look into the file for what was stored last",
            self.became
        );
        StoreError::new(StoreErrorKind::Unavailable, operation, message)
            .with("path", self.path.display())
    }

    /// What happened, in words.
    pub(crate) fn in_words(&self) -> String {
        format!("{} was {}", self.path.display(), self.became)
    }
}

/// The files of a database.
#[derive(Debug)]
pub(crate) struct Presence {
    database: Known,
    companions: [Known; 2],
    born: Instant,
    /// Milliseconds from `born` to the last look at the database, and at its companions.
    looked: AtomicU64,
    looked_at_companions: AtomicU64,
    gone: OnceLock<Gone>,
}

impl Presence {
    /// The files as they are now.
    pub(crate) fn of(place: &FileLocation) -> Result<Self> {
        let known = |path| {
            Known::of(path).map_err(|error| {
                let words = "the files of the database changed while it was opened; try again";
                StoreError::new(StoreErrorKind::Unavailable, "open", words).caused_by(error)
            })
        };
        Ok(Self {
            database: known(&place.file)?,
            companions: [known(&place.lock)?, known(&place.bell)?],
            born: Instant::now(),
            looked: AtomicU64::new(0),
            looked_at_companions: AtomicU64::new(0),
            gone: OnceLock::new(),
        })
    }

    /// What is gone, as far as is known or was looked at a moment ago. Once gone, gone for good.
    pub(crate) fn recent(&self) -> Option<&Gone> {
        if self.gone.get().is_none() && self.is_due(&self.looked, BELIEVED_FOR) {
            return self.now();
        }
        self.gone.get()
    }

    /// What is gone at this moment.
    pub(crate) fn now(&self) -> Option<&Gone> {
        if self.gone.get().is_none() {
            self.look_at([&self.database]);
            self.looked.store(self.age(), Ordering::Relaxed);
        }
        if self.gone.get().is_none() && self.is_due(&self.looked_at_companions, COMPANIONS_EACH) {
            self.look_at(&self.companions);
            self.looked_at_companions
                .store(self.age(), Ordering::Relaxed);
        }
        self.gone.get()
    }

    fn look_at<'a>(&'a self, files: impl IntoIterator<Item = &'a Known>) {
        if let Some(gone) = files.into_iter().find_map(Known::missing) {
            let _ = self.gone.set(gone);
        }
    }

    fn is_due(&self, looked: &AtomicU64, each: Duration) -> bool {
        let since = self.age().saturating_sub(looked.load(Ordering::Relaxed));
        u128::from(since) >= each.as_millis()
    }

    fn age(&self) -> u64 {
        self.born.elapsed().as_millis() as u64
    }
}
