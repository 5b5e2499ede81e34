//! Where a row lies: partition, section, and its key there; also the text of a cursor.

use std::fmt::Write;

use longshore_core::{Cursor, Result, StoreError};

/// A part of a partition that is read in its own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Lane(u8),
    /// Heads of groups in back-off: before the backlog, so that an export keeps their order.
    DelayedHeads,
    Backlog,
    Delayed,
    Dead,
}

impl Section {
    /// Live ones, in queue order.
    pub(crate) const LIVE: [Self; 6] = [
        Self::Lane(0),
        Self::Lane(1),
        Self::Lane(2),
        Self::DelayedHeads,
        Self::Backlog,
        Self::Delayed,
    ];

    /// What a lookup by id scans.
    pub(crate) const SCANNED: [Self; 5] = [
        Self::Lane(0),
        Self::Lane(1),
        Self::Lane(2),
        Self::Backlog,
        Self::Delayed,
    ];

    /// The letter the scripts know it by.
    pub(crate) const fn letter(self) -> &'static str {
        match self {
            Self::Lane(0) => "0",
            Self::Lane(1) => "1",
            Self::Lane(_) => "2",
            Self::DelayedHeads => "a",
            Self::Backlog => "g",
            Self::Delayed => "z",
            Self::Dead => "d",
        }
    }

    fn of_letter(letter: &str) -> Option<Self> {
        Self::LIVE
            .into_iter()
            .chain([Self::Dead])
            .find(|section| section.letter() == letter)
    }
}

/// A place to read on from; an empty key is the start of the section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) partition: u16,
    pub(crate) section: Section,
    pub(crate) key: Vec<u8>,
}

impl Position {
    pub(crate) fn start(section: Section) -> Self {
        Self {
            partition: 0,
            section,
            key: Vec::new(),
        }
    }

    /// The cursor of a call, told apart by its letter.
    pub(crate) fn to_cursor(&self, call: char) -> Cursor {
        let mut text = format!("{call}:{}:{}:", self.partition, self.section.letter());
        for byte in &self.key {
            // Writing to text cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Cursor::new(text)
    }

    /// Reads a cursor that the same call gave.
    pub(crate) fn of_cursor(cursor: &Cursor, call: char, operation: &'static str) -> Result<Self> {
        Self::read(cursor.as_str(), call).ok_or_else(|| malformed(operation))
    }

    fn read(text: &str, call: char) -> Option<Self> {
        let rest = text.strip_prefix(call)?.strip_prefix(':')?;
        let (partition, rest) = rest.split_once(':')?;
        let (section, key) = rest.split_once(':')?;
        let byte = |pair: &[u8]| {
            let text = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(text, 16).ok()
        };
        let whole = key.len().is_multiple_of(2) && !key.is_empty();
        let key: Option<Vec<u8>> = key.as_bytes().chunks(2).map(byte).collect();
        Some(Self {
            partition: partition.parse().ok()?,
            section: Section::of_letter(section)?,
            key: key.filter(|_| whole)?,
        })
    }
}

/// A cursor that this call did not give.
pub(crate) fn malformed(operation: &'static str) -> StoreError {
    StoreError::invalid_input(
        operation,
        "invalid cursor: not issued by this call; start again without one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_place_or_refused_fuzzed() {
        let samples =
            ["p:7:g:670078ff", "e:0:s:00", "d:1:d:61"].map(|text| text.as_bytes().to_vec());
        longshore_fuzz::fuzz("redis-cursor", &samples, |input| {
            let cursor = Cursor::new(String::from_utf8_lossy(input));
            let read = ['p', 'd', 'e'].map(|call| Position::of_cursor(&cursor, call, "peek").ok());
            for (call, place) in ['p', 'd', 'e'].into_iter().zip(&read) {
                if let Some(place) = place {
                    let again = Position::of_cursor(&place.to_cursor(call), call, "peek");
                    assert_eq!(again.as_ref().ok(), Some(place));
                }
            }
            format!("{:?}", read.map(|place| place.map(|place| place.section)))
        });
    }

    #[test]
    fn cursors_are_read_back_by_their_own_call_only() {
        let place = Position {
            partition: 7,
            section: Section::Backlog,
            key: b"g\0x\xff".to_vec(),
        };
        let cursor = place.to_cursor('p');
        assert_eq!(Position::of_cursor(&cursor, 'p', "peek").unwrap(), place);
        for bad in [
            "", "p", "p:1:g:0", "p:x:g:00", "p:1:q:00", "p:1:g:zz", "p:1:g:",
        ] {
            assert!(
                Position::of_cursor(&Cursor::new(bad), 'p', "peek").is_err(),
                "{bad}"
            );
        }
        assert!(Position::of_cursor(&cursor, 'e', "export").is_err());
    }
}
