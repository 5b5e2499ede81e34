//! A message in the memory of a process that looks at its shard.

use bytes::Bytes;
use longshore_core::{Content, GroupName, Lane, Message, MessageId, StoredMessage, Timestamp};
use longshore_core::{IdOrigin, MessageState, wire};
use uuid::Uuid;

use crate::protocol::projection::Projection;
use crate::protocol::snapshot::Snapshot;
use crate::protocol::storage::{Bucket, MessageRow, Position};

/// Where a row lies.
pub(crate) type Address = (Bucket, Position);

/// The head and the body of a row.
pub(crate) type Raw = (Bytes, Bytes);

/// A message that lives or is dead.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) address: Address,
    /// Other rows that hold the same message: they are done when it is.
    pub(crate) copies: Vec<Address>,
    pub(crate) revision: i16,
    /// The producer's clock at the enqueue: what tells a copy from a later message of one id.
    pub(crate) born: i64,
    pub(crate) lane: Lane,
    pub(crate) group: Option<GroupName>,
    /// Whether the caller gave the id, so that it is recognised after the end.
    pub(crate) is_given: bool,
    pub(crate) serial: i32,
    pub(crate) state: Snapshot,
    pub(crate) phase: Phase,
    /// The first position at which something is told about it: a batch delivery may lie before its
    /// own.
    pub(crate) events_from: Position,
    /// Kept while there is room; read again otherwise.
    pub(crate) raw: Option<Raw>,
}

/// Where an entry is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The next receive may take it.
    Ready,
    /// Due, but behind another member of its group.
    Estimate,
    /// Its due time is ahead.
    Delayed,
    /// Of a newer version: put back until then.
    SetAside(Timestamp),
    /// One receipt holds it.
    Leased(Timestamp),
    /// In the dead letters.
    Dead,
}

/// Where a live message stands in its shard, and in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) at_ms: i64,
    pub(crate) sequence: i64,
    pub(crate) id: Uuid,
}

impl Entry {
    /// The entry of a row that is not done.
    pub(crate) fn of(bucket: Bucket, row: MessageRow, projection: Projection) -> Self {
        let given = wire::decode(&row.head, row.body.clone())
            .is_ok_and(|message| message.id_origin == IdOrigin::Given);
        Self {
            address: (bucket, row.position),
            copies: Vec::new(),
            revision: row.revision,
            born: row.sequence,
            lane: Lane::from_number(row.lane.cast_unsigned()).unwrap_or_default(),
            group: row.group.and_then(|name| GroupName::new(name).ok()),
            is_given: given,
            serial: projection.serial,
            events_from: projection
                .event_position
                .map_or(row.position, |at| at.min(row.position)),
            phase: projection.leased.map_or(Phase::Ready, Phase::Leased),
            state: projection.state,
            raw: Some((row.head, row.body)),
        }
    }

    pub(crate) fn id(&self) -> Uuid {
        self.address.1.id
    }

    pub(crate) fn message_id(&self) -> MessageId {
        MessageId::from_uuid(self.id())
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            at_ms: self.state.at_ms,
            sequence: self.state.sequence,
            id: self.id(),
        }
    }

    /// Whether one of its rows lies there.
    pub(crate) fn is_at(&self, address: Address) -> bool {
        self.address == address || self.copies.contains(&address)
    }

    /// Whether one of its rows has this position.
    pub(crate) fn has_row_at(&self, pos: i64) -> bool {
        let mut copies = self.copies.iter();
        self.address.1.pos == pos || copies.any(|(_, position)| position.pos == pos)
    }

    /// Whether another row of the same message stands instead of this one, in whatever order they
    /// are read: one that the message was moved to, or of copies the one of which something was
    /// told, or else the first.
    pub(crate) fn yields_to(&self, row: &MessageRow, projection: &Projection) -> bool {
        if self.is_leased() || self.revision != row.revision {
            return !self.is_leased() && self.revision < row.revision;
        }
        self.serial == 0 && (projection.serial > 0 || row.sequence < self.born)
    }

    pub(crate) fn is_leased(&self) -> bool {
        matches!(self.phase, Phase::Leased(_))
    }

    /// Whether a worker has it. Once the lease has ended nobody does, whether or not anybody
    /// received it again.
    pub(crate) fn is_in_hands(&self, now: Timestamp) -> bool {
        matches!(self.phase, Phase::Leased(until) if until > now)
    }

    /// The message as it is handed out.
    pub(crate) fn message(&self, raw: &Raw) -> Result<Message, wire::DecodeError> {
        let mut message = wire::decode(&raw.0, raw.1.clone())?;
        if self.state.never_expires {
            message.expires_at = None;
        }
        Ok(message)
    }

    /// What operators see of it.
    pub(crate) fn view(&self, raw: &Raw, now: Timestamp) -> StoredMessage {
        let content = self.message(raw).map_or_else(
            |_| Content::Damaged {
                id: self.message_id(),
                head: raw.0.clone(),
                body: raw.1.clone(),
            },
            Content::Intact,
        );
        let state = match (&self.state.dead, self.phase) {
            (Some(death), _) => MessageState::Dead(death.mark()),
            (None, Phase::Leased(until)) if until > now => MessageState::Leased { until },
            (None, Phase::Delayed) => MessageState::Delayed,
            (None, _) => MessageState::Waiting,
        };
        let mut view = StoredMessage::of(content, state, self.state.due());
        view.attempts = self.state.attempts;
        view.recorded_through = self.state.recorded_through;
        view.history = self.state.history();
        view.checkpoint.clone_from(&self.state.checkpoint);
        view
    }
}
