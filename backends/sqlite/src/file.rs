//! The file and its neighbours on the disk.
//!
//! **Owns** where the file lies and whether it may be used ([`location`], [`access`]), bringing it
//! into being and up to date ([`init`]), the lock file that gives processes their turns ([`lock`]),
//! room on the disk ([`space`]), whether the open files are still those at their paths
//! ([`presence`]), copies while it is used ([`backup`]), and what a store takes from its host
//! ([`host`]).
//!
//! **Invariant.** Nothing is written before the place was found fit: a local file system, files of
//! this user, no links planted. One process writes at a time.
//!
//! **When a process is killed.** Locks of a dead process are gone with it. A file that was being
//! created is empty or has all tables. A backup that was cut off is a broken file at its goal, which
//! SQLite refuses to open or to find sound.
//!
//! **Who writes.** [`init`] creates and upgrades tables; [`backup`] writes copies. Nothing here
//! touches messages.

pub(crate) mod access;
pub(crate) mod backup;
pub(crate) mod host;
pub(crate) mod init;
pub(crate) mod location;
pub(crate) mod lock;
pub(crate) mod presence;
pub(crate) mod space;
