//! When jobs began, and until when the worker had their leases by then.

use std::io;
use std::path::Path;

use crate::journal::Journal;

/// One start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeasedStart {
    /// The job's number in the test.
    pub key: u64,
    /// Which delivery it is.
    pub attempt: u32,
    /// When it began, in ms of the host's clock.
    pub at: i64,
    /// When its lease would have ended, had it not been extended.
    pub until: i64,
    /// Which life of which worker it ran in, such as `w2.7`.
    pub life: String,
}

/// Where the starts are written, one file for all processes of a test.
#[derive(Debug)]
pub struct LeaseLog(Journal);

impl LeaseLog {
    /// Opens it, made again if it is not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Journal::open(path)?))
    }

    /// Writes a start.
    pub fn write(&self, start: &LeasedStart) -> io::Result<()> {
        let LeasedStart {
            key,
            attempt,
            at,
            until,
            life,
        } = start;
        self.0.add(&format!("{key} {attempt} {at} {until} {life}"))
    }

    /// All starts so far.
    ///
    /// # Panics
    ///
    /// When a line is none of these.
    pub fn read(path: &Path) -> Vec<LeasedStart> {
        let lines = Journal::read(path);
        let starts = lines
            .iter()
            .map(|line| parse(line).unwrap_or_else(|| panic!("no start: {line}")));
        starts.collect()
    }
}

fn parse(line: &str) -> Option<LeasedStart> {
    let mut words = line.split(' ');
    Some(LeasedStart {
        key: words.next()?.parse().ok()?,
        attempt: words.next()?.parse().ok()?,
        at: words.next()?.parse().ok()?,
        until: words.next()?.parse().ok()?,
        life: words.next()?.to_owned(),
    })
}
