//! An aggregate, an epoch and a part in a list.

use longshore::core::{AggregateInfo, Content, EpochInfo, EpochState, Part};
use serde::Serialize;

use crate::epoch_filter::state_word;
use crate::parse::rfc3339;
use crate::shape::BodyShape;

/// What `aggregates list` prints of each aggregate; numbers are parts but for the epochs.
#[derive(Debug, Serialize)]
pub(crate) struct AggregateRow<'a> {
    name: &'a str,
    accepted: u64,
    open: u64,
    closed: u64,
    released: u64,
    dead: u64,
    dropped: u64,
    discarded: u64,
    open_epochs: u64,
    closed_epochs: u64,
    next_at: Option<String>,
    outgoing: u64,
    outgoing_since: Option<String>,
}

impl<'a> AggregateRow<'a> {
    /// The row of an aggregate.
    pub(crate) fn of(info: &'a AggregateInfo) -> Self {
        Self {
            name: info.name.as_str(),
            accepted: info.accepted,
            open: info.open,
            closed: info.closed,
            released: info.released,
            dead: info.dead,
            dropped: info.dropped,
            discarded: info.discarded,
            open_epochs: info.open_epochs,
            closed_epochs: info.closed_epochs,
            next_at: info.next.map(rfc3339),
            outgoing: info.outgoing,
            outgoing_since: info.outgoing_since.map(rfc3339),
        }
    }
}

/// What is printed of an epoch.
#[derive(Debug, Serialize)]
pub(crate) struct EpochRow<'a> {
    key: &'a str,
    epoch: u64,
    state: &'static str,
    completed_by: Option<&'static str>,
    set_aside: bool,
    parts: u32,
    bytes: u64,
    missing: Option<u32>,
    opened_at: String,
    last_at: String,
    due_at: Option<String>,
    closed_at: Option<String>,
    leased_until: Option<String>,
}

impl<'a> EpochRow<'a> {
    /// The row of an epoch.
    pub(crate) fn of(epoch: &'a EpochInfo) -> Self {
        let mut row = Self {
            key: epoch.key.as_str(),
            epoch: epoch.epoch.number(),
            state: state_word(&epoch.state),
            completed_by: None,
            set_aside: false,
            parts: epoch.parts,
            bytes: epoch.bytes,
            missing: epoch.missing(),
            opened_at: rfc3339(epoch.opened_at),
            last_at: rfc3339(epoch.last_at),
            due_at: None,
            closed_at: None,
            leased_until: None,
        };
        match epoch.state {
            EpochState::Open { due } => row.due_at = due.map(rfc3339),
            EpochState::Closed {
                by,
                at,
                leased_until,
                is_set_aside,
            } => {
                row.completed_by = Some(by.as_str());
                row.closed_at = Some(rfc3339(at));
                row.leased_until = leased_until.map(rfc3339);
                row.set_aside = is_set_aside;
            }
            _ => {}
        }
        row
    }
}

/// What is printed of a part.
#[derive(Debug, Serialize)]
pub(crate) struct PartRow {
    id: String,
    position: Option<String>,
    kind: Option<String>,
    #[serde(flatten)]
    body: BodyShape,
}

impl PartRow {
    /// The row of a part.
    pub(crate) fn of(part: &Part) -> Self {
        let (message, body) = match &part.content {
            Content::Intact(message) => (Some(message), &message.body),
            Content::Damaged { body, .. } => (None, body),
        };
        Self {
            id: part.id().to_string(),
            position: message.map(|message| rfc3339(message.enqueued_at)),
            kind: message.map(|message| message.kind.to_string()),
            body: BodyShape::from(&body[..]),
        }
    }
}
