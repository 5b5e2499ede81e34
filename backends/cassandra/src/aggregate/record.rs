//! The stored form of a record: which calls were made at which time.
//!
//! ```text
//! 0      version
//! 1..9   xxh3-64 of the version and the rest, little-endian
//! 9..    the fields (postcard)
//! ```
//!
//! A record holds calls, not what came of them: every process plays them through the same state
//! machine. So the version names the form of the fields *and* the decisions of that machine. Where
//! either changes, it is raised, and what older versions decided stays decided as before.

use std::collections::BTreeMap;

use longshore_core::{
    AggregateKey, AggregateRules, Epoch, EpochChange, Fate, PartHead, Receipt, Result, StoreError,
    StoreErrorKind, Timestamp, Turn, Verdict,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use crate::aggregate::exchange::RecordName;

/// The version that this build writes.
const VERSION: u8 = 1;

/// The version and the checksum.
const FRAME: usize = 9;

/// One step of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The id of the record before it; nil of the first.
    pub(crate) previous: Uuid,
    /// When it was made, never before the one before it.
    pub(crate) at: Timestamp,
    /// The last record before it with parts for each other cell.
    pub(crate) last: BTreeMap<i16, RecordName>,
    pub(crate) commands: Vec<Command>,
}

/// One call on a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Parts, in the order of the rows of this record.
    Append(AggregateRules, Vec<PartHead>),
    /// Parts that another cell collects, in the order of the rows of this record.
    Forward {
        to: i16,
        rules: AggregateRules,
        parts: Vec<PartHead>,
    },
    /// Parts that another cell held for this one, behind the record `after` of its log, up to `upto`.
    Take {
        of: i16,
        after: i64,
        upto: i64,
        groups: Vec<(AggregateRules, Vec<PartHead>)>,
    },
    /// Another cell has all parts up to this record.
    Acknowledged {
        by: i16,
        upto: i64,
    },
    Turn(Turn),
    Answer(Vec<Verdict>),
    Finish(Vec<(ReceiptBytes, Fate)>),
    Change(Vec<(AggregateKey, Epoch, EpochChange)>),
    /// A snapshot of this id is going to be written.
    Announce(Uuid),
    /// The snapshot is whole; the head names it from this record on.
    Adopt(Uuid),
    /// These snapshots and pages were deleted.
    Deleted {
        snapshots: Vec<Uuid>,
        pages: Vec<i64>,
    },
}

impl Command {
    /// How many rows of parts it has.
    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Append(_, parts) | Self::Forward { parts, .. } => parts.len(),
            Self::Take { groups, .. } => groups.iter().map(|(_, parts)| parts.len()).sum(),
            _ => 0,
        }
    }
}

/// A receipt as bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReceiptBytes(Vec<u8>);

impl From<&Receipt> for ReceiptBytes {
    fn from(receipt: &Receipt) -> Self {
        Self(receipt.as_bytes().to_vec())
    }
}

impl ReceiptBytes {
    pub(crate) fn receipt(&self) -> Receipt {
        Receipt::from_bytes(self.0.clone())
    }
}

/// The stored form of a record or of a snapshot.
pub(crate) fn encode<T: Serialize>(operation: &'static str, value: &T) -> Result<Vec<u8>> {
    let mut stored = vec![0; FRAME];
    stored[0] = VERSION;
    let mut stored = postcard::to_extend(value, stored).map_err(|error| {
        let said = format!("a record of an aggregate cannot be written: {error}");
        StoreError::new(StoreErrorKind::Unexpected, operation, said)
    })?;
    let sum = checksum(&stored).to_le_bytes();
    stored[1..FRAME].copy_from_slice(&sum);
    Ok(stored)
}

/// Reads the stored form.
///
/// # Errors
///
/// `Unsupported` of a newer version, `Corrupt` of what is none.
pub(crate) fn decode<T: DeserializeOwned>(operation: &'static str, stored: &[u8]) -> Result<T> {
    let corrupt = |why: String| {
        let said = format!("a stored record of an aggregate cannot be read: {why}");
        StoreError::new(StoreErrorKind::Corrupt, operation, said)
    };
    let Some((frame, fields)) = stored.split_first_chunk::<FRAME>() else {
        return Err(corrupt(format!("it has {} bytes", stored.len())));
    };
    if frame[1..] != checksum(stored).to_le_bytes() {
        return Err(corrupt("its checksum is wrong".to_owned()));
    }
    if frame[0] > VERSION {
        let said = format!(
            "a stored record of an aggregate has version {}, this build knows up to {VERSION}; use \
             a newer longshore",
            frame[0]
        );
        return Err(StoreError::unsupported(operation, said));
    }
    postcard::from_bytes(fields).map_err(|error| corrupt(error.to_string()))
}

/// Of all but the checksum itself.
fn checksum(stored: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&stored[..1]);
    hasher.update(&stored[FRAME..]);
    hasher.digest()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use longshore_core::{Judged, MessageId};

    use super::*;

    fn record() -> Record {
        let key = AggregateKey::new("ann").unwrap();
        let id = Uuid::from_u128(7);
        let head = PartHead {
            key: key.clone(),
            closing: true,
            position: Timestamp::from_millis(5),
            id: MessageId::from_uuid(id),
            bytes: 3,
        };
        let verdict = Verdict {
            key: key.clone(),
            epoch: Epoch::new(9),
            parts: 2,
            judged: Judged::NotYet,
        };
        let receipt = Receipt::from_bytes(vec![1, 2, 3]);
        let hand = ReceiptBytes::from(&receipt);
        let lease = Duration::from_secs(20);
        Record {
            previous: id,
            at: Timestamp::from_millis(1_767_225_600_000),
            last: BTreeMap::from([(1, (5, id))]),
            commands: vec![
                Command::Append(AggregateRules::default(), vec![head.clone()]),
                Command::Forward {
                    to: 1,
                    rules: AggregateRules::default(),
                    parts: vec![head.clone()],
                },
                Command::Take {
                    of: 1,
                    after: 2,
                    upto: 3,
                    groups: vec![(AggregateRules::default(), vec![head])],
                },
                Command::Acknowledged { by: 1, upto: 9 },
                Command::Turn(Turn {
                    max: NonZeroU32::MIN,
                    lease,
                }),
                Command::Answer(vec![verdict]),
                Command::Finish(vec![
                    (hand.clone(), Fate::Released),
                    (hand, Fate::PutOff(lease)),
                ]),
                Command::Change(vec![(key, Epoch::new(9), EpochChange::Discard)]),
                Command::Announce(id),
                Command::Adopt(id),
                Command::Deleted {
                    snapshots: vec![id],
                    pages: vec![0, 4],
                },
            ],
        }
    }

    #[test]
    fn a_record_is_read_back_and_its_form_never_changes() {
        let stored = encode("append", &record()).unwrap();
        assert_eq!(decode::<Record>("append", &stored).unwrap(), record());
        // Tables of earlier builds hold it: where this differs, raise the version.
        assert_eq!(format!("{:016x}", checksum(&stored)), "e11db7e64bfed412");
    }

    #[test]
    fn damage_and_newer_versions_are_told_apart() {
        let stored = encode("append", &record()).unwrap();
        for at in 0..stored.len() {
            let mut flipped = stored.clone();
            flipped[at] ^= 4;
            let refused = decode::<Record>("append", &flipped).unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::Corrupt, "byte {at}");
        }
        assert!(decode::<Record>("append", &stored[..FRAME - 1]).is_err());
        let mut newer = stored;
        newer[0] = VERSION + 1;
        let sum = checksum(&newer).to_le_bytes();
        newer[1..FRAME].copy_from_slice(&sum);
        let refused = decode::<Record>("append", &newer).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unsupported);
    }
}
