//! How much room the disk has left.

use std::cell::Cell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_core::{Result, StoreError, StoreErrorKind};

/// The room of a file system in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What is free for this user.
    pub free: u64,
    /// How large it is.
    pub total: u64,
}

/// Looks how much room a directory has; replaced in tests.
#[derive(Clone)]
pub struct RoomProbe(Arc<Look>);

type Look = dyn Fn(&Path) -> std::io::Result<Room> + Send + Sync;

impl RoomProbe {
    /// A probe that answers what `look` says.
    pub fn new(look: impl Fn(&Path) -> std::io::Result<Room> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// Looks now.
    pub(crate) fn look(&self, directory: &Path) -> std::io::Result<Room> {
        (self.0)(directory)
    }
}

impl Default for RoomProbe {
    /// Asks the system.
    fn default() -> Self {
        Self::new(system_room)
    }
}

impl fmt::Debug for RoomProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomProbe")
    }
}

const MIB: u64 = 1024 * 1024;
/// The reserve is this part of the file system,
const RESERVE_PART: u64 = 20;
/// but never more than this,
const RESERVE_MAX: u64 = 64 * MIB;
/// and on a small disk not less than this: a WAL grows to 4 MiB before it starts again, and
/// settling must have room for one.
const RESERVE_MIN: u64 = 8 * MIB;
/// A disk so small that this would be most of it gives this part.
const RESERVE_PART_MAX: u64 = 4;
/// An answer of the system is believed for this long,
const BELIEVED_FOR: Duration = Duration::from_millis(200);
/// or until this much was written.
const BELIEVED_BYTES: u64 = 512 * 1024;

impl Room {
    /// What must stay free, so that messages can still be settled.
    pub fn reserve(self) -> u64 {
        let least = RESERVE_MIN.min(self.total / RESERVE_PART_MAX);
        (self.total / RESERVE_PART).clamp(least, RESERVE_MAX)
    }
}

/// The room of the writer's file system, looked at now and then.
#[derive(Debug)]
pub(crate) struct Space {
    directory: PathBuf,
    probe: RoomProbe,
    seen: Cell<Option<(Instant, Room)>>,
    written: Cell<u64>,
}

impl Space {
    /// The room where `directory` is.
    pub(crate) fn new(directory: &Path, probe: RoomProbe) -> Self {
        Self {
            directory: directory.to_owned(),
            probe,
            seen: Cell::new(None),
            written: Cell::new(0),
        }
    }

    /// Refuses to write `bytes` more where that would use up the reserve. `unused` tells how
    /// many bytes of pages the file has that hold nothing: a queue that was drained fills those
    /// again, for as long as half of the reserve is there for the WAL.
    pub(crate) fn require(
        &self,
        operation: &'static str,
        bytes: u64,
        unused: impl FnOnce() -> u64,
    ) -> Result<()> {
        let written = self.written.get() + bytes;
        self.written.set(written);
        let Some(room) = self.room(written) else {
            return Ok(());
        };
        let reserve = room.reserve();
        if room.free >= reserve.saturating_add(written) {
            return Ok(());
        }
        // Twice the bytes, since rows have entries in indexes too.
        if room.free >= reserve / 2 && unused() >= bytes.saturating_mul(2) {
            return Ok(());
        }
        Err(StoreError::new(
            StoreErrorKind::Overloaded,
            operation,
            format!(
                "the disk is nearly full: {} MiB are free and {} MiB are kept so that messages \
                 can still be settled; free some space",
                room.free >> 20,
                (reserve >> 20).max(1),
            ),
        )
        .retry_after(Duration::from_secs(5)))
    }

    /// Looks now.
    pub(crate) fn look(&self) {
        self.seen.set(None);
        self.room(0);
    }

    /// Whether the room was close to the reserve when it was last looked at.
    pub(crate) fn is_low(&self) -> bool {
        self.seen
            .get()
            .is_some_and(|(_, room)| room.free < room.reserve() * 2)
    }

    fn room(&self, written: u64) -> Option<Room> {
        if let Some((at, room)) = self.seen.get()
            && at.elapsed() < BELIEVED_FOR
            && written < BELIEVED_BYTES.min(room.reserve() / 4)
        {
            return Some(room);
        }
        self.written.set(0);
        // A file system that does not tell is not a reason to refuse messages.
        let room = self.probe.look(&self.directory).ok()?;
        self.seen.set(Some((Instant::now(), room)));
        Some(room)
    }
}

fn system_room(directory: &Path) -> std::io::Result<Room> {
    let found = rustix::fs::statvfs(directory)?;
    Ok(Room {
        free: found.f_bavail.saturating_mul(found.f_frsize),
        total: found.f_blocks.saturating_mul(found.f_frsize),
    })
}
