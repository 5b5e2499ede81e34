//! What is written about a message after it was stored. Nothing is updated: the state of a
//! message is what its row and its events, in the order of their serials, add up to.

use bytes::Bytes;
use longshore_core::Timestamp;
use uuid::Uuid;

use crate::protocol::snapshot::Snapshot;
use crate::protocol::storage::{EventRow, Position};

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// First deliveries of several messages by one receive, one lease for all.
    BatchDelivered {
        /// Each message and its attempt; all have serial 1.
        handed: Vec<(Position, u32)>,
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
    /// The message is in this state now: its delivery ended, or a process changed it.
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
    Superseded,
    /// It expired, and the queue discards what does.
    Expired,
}

const BATCH_DELIVERED: i8 = 0;
const DELIVERED: i8 = 1;
const EXTENDED: i8 = 2;
const BECAME: i8 = 3;
const DONE: i8 = 4;

impl Event {
    /// The row of this event.
    pub(crate) fn row(&self, position: Position, serial: i32) -> EventRow {
        let (what, detail) = match self {
            Self::BatchDelivered { handed, until } => {
                (BATCH_DELIVERED, batch_delivered(handed, *until))
            }
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
        EventRow {
            position,
            serial,
            what,
            detail: Bytes::from(detail),
        }
    }

    /// The event of a row; `None` if it is damaged or of a newer version.
    pub(crate) fn of(row: &EventRow) -> Option<Self> {
        let mut detail = Detail(&row.detail);
        let event = match row.what {
            BATCH_DELIVERED => {
                let until = detail.time()?;
                let mut handed = Vec::new();
                while !detail.0.is_empty() {
                    let pos = detail.long()?;
                    let id = Uuid::from_bytes(detail.take()?);
                    let attempt = u32::from_be_bytes(detail.take()?);
                    handed.push((Position { pos, id }, attempt));
                }
                Self::BatchDelivered { handed, until }
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
        detail.0.is_empty().then_some(event)
    }
}

impl Why {
    const ALL: [Self; 5] = [
        Self::Acked,
        Self::Removed,
        Self::Moved,
        Self::Superseded,
        Self::Expired,
    ];

    fn number(self) -> u8 {
        self as u8
    }

    fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

fn batch_delivered(handed: &[(Position, u32)], until: Timestamp) -> Vec<u8> {
    let mut bytes = until.as_millis().to_be_bytes().to_vec();
    for (position, attempt) in handed {
        bytes.extend(position.pos.to_be_bytes());
        bytes.extend(position.id.as_bytes());
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
    fn events_are_read_back_and_truncated_ones_are_refused() {
        let until = Timestamp::from_millis(77);
        let position = Position {
            pos: -3,
            id: Uuid::from_u128(9),
        };
        let events = [
            Event::BatchDelivered {
                handed: vec![(position, 1), (Position::FIRST, 7)],
                until,
            },
            Event::Delivered { attempt: 2, until },
            Event::Extended { until },
            Event::Became(Box::default()),
            Event::Done {
                why: Why::Superseded,
                known_until: until,
            },
        ];
        for event in events {
            let mut row = event.row(position, 4);
            assert_eq!(Event::of(&row).as_ref(), Some(&event));
            row.detail = row.detail.slice(..row.detail.len() - 1);
            assert_eq!(Event::of(&row), None, "{event:?}");
        }
    }
}
