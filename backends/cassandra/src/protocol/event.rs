//! What is written about a message after it was stored. Nothing is updated: the state of a
//! message is what its row and its facts, in the order of their serials, add up to.

use bytes::Bytes;
use longshore_core::Timestamp;
use uuid::Uuid;

use crate::protocol::snapshot::Snapshot;
use crate::protocol::storage::{FactRow, Spot};

/// One fact.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// First deliveries of several messages by one receive, one lease for all.
    Roll {
        /// Each message and its attempt; all have serial 1.
        handed: Vec<(Spot, u32)>,
        /// When the lease ends.
        until: Timestamp,
    },
    /// A delivery.
    Delivered {
        /// Which attempt it is.
        attempt: u32,
        /// When the lease ends.
        until: Timestamp,
    },
    /// The lease of the delivery of the same serial ends then.
    Extended {
        /// The new end.
        until: Timestamp,
    },
    /// The message is in this state now: its delivery ended, or somebody changed it.
    Became(Box<Snapshot>),
    /// The message is gone from this row for good.
    Done {
        /// Why.
        why: Why,
        /// Until when a repeat of its id is recognised.
        known_until: Timestamp,
    },
}

/// Why a message is gone from its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was acked.
    Acked,
    /// It was cancelled, purged or discarded.
    Removed,
    /// It moved to another row, which was acknowledged before.
    Moved,
    /// It was a copy of a message that is done.
    Copy,
    /// It expired, and the queue discards what does.
    Expired,
}

const ROLL: i8 = 0;
const DELIVERED: i8 = 1;
const EXTENDED: i8 = 2;
const BECAME: i8 = 3;
const DONE: i8 = 4;

impl Fact {
    /// The row of this fact.
    pub(crate) fn row(&self, spot: Spot, serial: i32) -> FactRow {
        let (what, detail) = match self {
            Self::Roll { handed, until } => (ROLL, roll(handed, *until)),
            Self::Delivered { attempt, until } => {
                let mut bytes = attempt.to_be_bytes().to_vec();
                bytes.extend(until.as_millis().to_be_bytes());
                (DELIVERED, bytes)
            }
            Self::Extended { until } => (EXTENDED, until.as_millis().to_be_bytes().to_vec()),
            Self::Became(snapshot) => (BECAME, snapshot.to_bytes()),
            Self::Done { why, known_until } => {
                let mut bytes = vec![why.number()];
                bytes.extend(known_until.as_millis().to_be_bytes());
                (DONE, bytes)
            }
        };
        FactRow {
            spot,
            serial,
            what,
            detail: Bytes::from(detail),
        }
    }

    /// The fact of a row; `None` if it is damaged or of a newer version.
    pub(crate) fn of(row: &FactRow) -> Option<Self> {
        let mut detail = Detail(&row.detail);
        let fact = match row.what {
            ROLL => {
                let until = detail.time()?;
                let mut handed = Vec::new();
                while !detail.0.is_empty() {
                    let pos = detail.long()?;
                    let id = Uuid::from_bytes(detail.take()?);
                    let attempt = u32::from_be_bytes(detail.take()?);
                    handed.push((Spot { pos, id }, attempt));
                }
                Self::Roll { handed, until }
            }
            DELIVERED => Self::Delivered {
                attempt: u32::from_be_bytes(detail.take()?),
                until: detail.time()?,
            },
            EXTENDED => Self::Extended {
                until: detail.time()?,
            },
            BECAME => return Some(Self::Became(Box::new(Snapshot::from_bytes(&row.detail)?))),
            DONE => Self::Done {
                why: Why::of(detail.take::<1>()?[0])?,
                known_until: detail.time()?,
            },
            _ => return None,
        };
        detail.0.is_empty().then_some(fact)
    }
}

impl Why {
    const ALL: [Self; 5] = [
        Self::Acked,
        Self::Removed,
        Self::Moved,
        Self::Copy,
        Self::Expired,
    ];

    fn number(self) -> u8 {
        self as u8
    }

    fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

fn roll(handed: &[(Spot, u32)], until: Timestamp) -> Vec<u8> {
    let mut bytes = until.as_millis().to_be_bytes().to_vec();
    for (spot, attempt) in handed {
        bytes.extend(spot.pos.to_be_bytes());
        bytes.extend(spot.id.as_bytes());
        bytes.extend(attempt.to_be_bytes());
    }
    bytes
}

/// What is left to read of a detail.
struct Detail<'a>(&'a [u8]);

impl Detail<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn long(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.long().map(Timestamp::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_back_and_cut_ones_are_not() {
        let until = Timestamp::from_millis(77);
        let spot = Spot {
            pos: -3,
            id: Uuid::from_u128(9),
        };
        let facts = [
            Fact::Roll {
                handed: vec![(spot, 1), (Spot::FIRST, 7)],
                until,
            },
            Fact::Delivered { attempt: 2, until },
            Fact::Extended { until },
            Fact::Became(Box::default()),
            Fact::Done {
                why: Why::Copy,
                known_until: until,
            },
        ];
        for fact in facts {
            let mut row = fact.row(spot, 4);
            assert_eq!(Fact::of(&row).as_ref(), Some(&fact));
            row.detail = row.detail.slice(..row.detail.len() - 1);
            assert_eq!(Fact::of(&row), None, "{fact:?}");
        }
    }
}
