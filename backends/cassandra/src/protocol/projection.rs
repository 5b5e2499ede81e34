//! What the events about one message add up to.

use longshore_core::Timestamp;

use crate::protocol::event::{Event, Why};
use crate::protocol::snapshot::Snapshot;
use crate::protocol::storage::{MessageRow, Position};

/// Where a message stands in one row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Projection {
    /// The serial of the last delivery or change.
    pub(crate) serial: i32,
    /// Everything about it that changes.
    pub(crate) state: Snapshot,
    /// Until when the running delivery is leased.
    pub(crate) leased: Option<Timestamp>,
    /// Whether it is gone from this row: why, and until when its id is recognised.
    pub(crate) done: Option<(Why, Timestamp)>,
    /// Where its first delivery was told, if that is not at its own position.
    pub(crate) event_position: Option<Position>,
}

impl Projection {
    /// The beginning: what the row itself says.
    pub(crate) fn begin(row: &MessageRow) -> Self {
        let fresh = || Snapshot {
            due_ms: row.due_ms,
            at_ms: row.due_ms.max(row.sequence / 1000),
            sequence: row.sequence,
            ..Snapshot::default()
        };
        let state = if row.start.is_empty() {
            fresh()
        } else {
            // A start that cannot be read costs the history, not the message.
            Snapshot::from_bytes(&row.start).unwrap_or_else(fresh)
        };
        Self {
            serial: 0,
            state,
            leased: None,
            done: None,
            event_position: None,
        }
    }

    /// Adds an event. Events come in the order of their rows; a batch delivery counts as a delivery
    /// of serial 1.
    pub(crate) fn add(&mut self, serial: i32, event: Event) {
        match event {
            Event::BatchDelivered { .. } => {}
            Event::Delivered { attempt, until } => {
                if serial > self.serial {
                    self.serial = serial;
                    self.state.attempts = attempt;
                    // A late end of the delivery before, which this one overtook.
                    self.state.dead = None;
                    self.leased = Some(until);
                }
            }
            Event::Extended { until } => {
                if serial == self.serial && self.leased.is_some() {
                    self.leased = Some(until);
                }
            }
            Event::Became(state) => {
                if serial >= self.serial {
                    self.serial = serial;
                    self.state = *state;
                    self.leased = None;
                }
            }
            Event::Done { why, known_until } => {
                let before = self.done.map_or(Timestamp::EPOCH, |(_, until)| until);
                self.done = Some((why, known_until.max(before)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_core::DeadReason;
    use uuid::Uuid;

    use super::*;
    use crate::protocol::snapshot::Death;

    #[test]
    fn an_end_that_a_redelivery_overtook_does_not_make_it_dead() {
        let row = MessageRow {
            position: Position {
                pos: 1,
                id: Uuid::from_u128(1),
            },
            revision: 0,
            lane: 1,
            group: None,
            due_ms: 0,
            sequence: 1,
            head: bytes::Bytes::new(),
            body: bytes::Bytes::new(),
            start: bytes::Bytes::new(),
        };
        let now = Timestamp::from_millis(1000);
        let until = now;
        let mut projection = Projection::begin(&row);
        projection.add(1, Event::Delivered { attempt: 1, until });
        let dead = Snapshot {
            dead: Some(Death {
                reason: DeadReason::Requested,
                error: None,
                at: now,
                sequence: 2,
                parks: true,
            }),
            ..projection.state.clone()
        };
        projection.add(1, Event::Became(Box::new(dead)));
        assert!(projection.state.dead.is_some() && projection.leased.is_none());
        projection.add(2, Event::Delivered { attempt: 2, until });
        assert!(projection.state.dead.is_none() && projection.leased.is_some());
    }
}
