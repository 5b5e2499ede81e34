//! What is remembered of a file: the progress that the store keeps.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

/// How far a file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    v: u8,
    /// For people who look into the store.
    pub(super) path: String,
    /// Grows when another thing takes the place of the one before.
    pub(super) generation: u32,
    /// Of the content (a file), or of the beginning when it was first seen (lines).
    #[serde(with = "hex")]
    pub(super) hash: u128,
    /// Of lines: how many bytes of the beginning tell it from another file.
    pub(super) head_len: usize,
    /// Of lines: the hash of these.
    #[serde(with = "hex")]
    pub(super) head: u128,
    /// Of lines: up to here everything is stored.
    pub(super) offset: u64,
    /// Of lines: how many lines that was.
    pub(super) lines: u64,
    /// Of a file: its marks when it was stored.
    pub(super) stat: Option<Stat>,
    /// The day of the last save, so that what stays is not forgotten.
    pub(super) day: i64,
}

/// The marks of a file on its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stat {
    pub(super) len: u64,
    pub(super) modified_ns: i64,
    pub(super) inode: u64,
}

impl Record {
    /// A thing that was not seen before at its path, or takes the place of another one.
    pub(super) fn new(path: &str, before: Option<&Self>, hash: u128) -> Self {
        Self {
            v: 1,
            path: path.to_owned(),
            generation: before.map_or(0, |before| before.generation.wrapping_add(1)),
            hash,
            head_len: 0,
            head: hash,
            offset: 0,
            lines: 0,
            stat: None,
            day: 0,
        }
    }

    /// Whether it tells of more than another record of the same path.
    pub(super) fn is_ahead_of(&self, other: &Self) -> bool {
        (self.generation, self.offset, self.day) > (other.generation, other.offset, other.day)
    }

    /// The key of a path in the progress store.
    pub(super) fn key(scope: &str, path: &str) -> String {
        format!("{:032x}", xxh3_128(format!("{scope}\n{path}").as_bytes()))
    }

    pub(super) fn to_stored(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Reads a stored record; one that cannot be read is an error, not a file never seen.
    pub(super) fn from_stored(bytes: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice::<Self>(bytes) {
            Ok(record) if record.v == 1 => Ok(record),
            Ok(record) => Err(format!("its version is {}, this program knows 1", record.v)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// 128 bits as text: JSON has no such numbers.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{value:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_back_and_garbage_is_told() {
        let mut record = Record::new("/in/x", None, u128::MAX);
        record.offset = 12;
        record.stat = Some(Stat {
            len: 1,
            modified_ns: -5,
            inode: 9,
        });
        assert_eq!(Record::from_stored(&record.to_stored()), Ok(record.clone()));
        assert_eq!(Record::new("/in/x", Some(&record), 1).generation, 1);
        assert!(Record::from_stored(b"{}").is_err());
        let newer = String::from_utf8(record.to_stored().to_vec()).unwrap();
        let newer = newer.replace("\"v\":1", "\"v\":2");
        assert!(
            Record::from_stored(newer.as_bytes())
                .unwrap_err()
                .contains("version is 2")
        );
    }
}
