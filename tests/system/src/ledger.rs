//! What producers tried and what they were told is stored.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::journal::Journal;

/// Where producers write, one file for all of a test; see [`crate::EffectLog`].
#[derive(Debug)]
pub struct Ledger(Journal);

impl Ledger {
    /// Opens it, made again if it is not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Journal::open(path)?))
    }

    /// Says that a call with these jobs begins.
    pub fn tried(&self, keys: Range<u64>) -> io::Result<()> {
        self.write("tried", &keys)
    }

    /// Says that the call was answered: all are stored.
    pub fn stored(&self, keys: Range<u64>) -> io::Result<()> {
        self.write("stored", &keys)
    }

    fn write(&self, word: &str, keys: &Range<u64>) -> io::Result<()> {
        self.0.add(&format!("{word} {} {}", keys.start, keys.end))
    }

    /// Reads which were tried and which are stored.
    ///
    /// # Panics
    ///
    /// When a line is not one of a ledger.
    pub fn read(path: &Path) -> (BTreeSet<u64>, BTreeSet<u64>) {
        let (mut tried, mut stored) = (BTreeSet::new(), BTreeSet::new());
        for line in Journal::read(path) {
            let mut words = line.split(' ');
            let word = words.next().unwrap_or_default();
            let mut number = || words.next().and_then(|text| text.parse().ok());
            let (Some(from), Some(to)) = (number(), number()) else {
                panic!("no line of a ledger: {line}");
            };
            let keys: Range<u64> = from..to;
            match word {
                "tried" => tried.extend(keys),
                "stored" => stored.extend(keys),
                _ => panic!("no line of a ledger: {line}"),
            }
        }
        (tried, stored)
    }
}
