//! One message from all sides.

use longshore::core::{Content, Headers, MessageState, QueueName, StoredMessage};
use longshore_routes::StoppedAt;
use serde::Serialize;

use super::body::base64;
use super::{BodyShape, DeadRow, HistoryRow, history};
use crate::parse::rfc3339;

/// What `show` and `dead show` print.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// The fields of a list.
    #[serde(flatten)]
    pub(crate) row: DeadRow,
    /// `waiting`, `delayed`, `leased` or `dead`.
    pub(crate) state: &'static str,
    /// All attempts.
    pub(crate) history: Vec<HistoryRow>,
    /// Its body; the raw one of a damaged row.
    #[serde(flatten)]
    pub(crate) body: BodyShape,
    /// The step of its route at which the last attempt stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<StepShape>,
    /// What else is known.
    #[serde(flatten)]
    pub(crate) detail: Detail,
}

/// Where in its route a message stopped.
#[derive(Debug, Serialize)]
pub(crate) struct StepShape {
    /// The route.
    pub(crate) route: String,
    /// Which step, from 1.
    pub(crate) number: usize,
    /// The step in words.
    pub(crate) name: String,
    /// The body that it had, where that is not the message's own.
    #[serde(flatten)]
    pub(crate) body: Option<BodyShape>,
}

impl StepShape {
    fn of(stored: &StoredMessage) -> Option<Self> {
        let stopped = StoppedAt::read(stored.checkpoint.as_ref()?)?;
        Some(Self {
            route: stopped.route,
            number: stopped.step,
            name: stopped.name,
            body: stopped.body.as_deref().map(BodyShape::from),
        })
    }
}

impl Shown {
    /// The shape of a message.
    pub(crate) fn of(queue: &QueueName, stored: &StoredMessage) -> Self {
        Self {
            row: DeadRow::of(queue, stored),
            state: stored.state.as_str(),
            history: history(stored),
            body: body(stored),
            step: StepShape::of(stored),
            detail: Detail::of(stored),
        }
    }
}

/// What `peek` prints of each message: no history.
#[derive(Debug, Serialize)]
pub(crate) struct Peeked {
    /// Which message.
    pub(crate) id: String,
    /// Of which queue.
    pub(crate) queue: String,
    /// Its kind.
    pub(crate) kind: Option<String>,
    /// `waiting`, `delayed` or `leased`.
    pub(crate) state: &'static str,
    /// Deliveries so far.
    pub(crate) attempts: u32,
    /// When it was first stored.
    pub(crate) first_enqueued_at: Option<String>,
    /// Its body.
    #[serde(flatten)]
    pub(crate) body: BodyShape,
    /// What else is known.
    #[serde(flatten)]
    pub(crate) detail: Detail,
}

impl Peeked {
    /// The shape of a message.
    pub(crate) fn of(queue: &QueueName, stored: &StoredMessage) -> Self {
        let row = DeadRow::of(queue, stored);
        Self {
            id: row.id,
            queue: row.queue,
            kind: row.kind,
            state: stored.state.as_str(),
            attempts: row.attempts,
            first_enqueued_at: row.first_enqueued_at,
            body: body(stored),
            detail: Detail::of(stored),
        }
    }
}

/// What an operator may want to know besides.
#[derive(Debug, Serialize)]
pub(crate) struct Detail {
    /// The user's headers.
    pub(crate) headers: Headers,
    /// Its group.
    pub(crate) group: Option<String>,
    /// Its lane.
    pub(crate) priority: Option<&'static str>,
    /// When it is or was due.
    pub(crate) due_at: String,
    /// When it expires.
    pub(crate) expires_at: Option<String>,
    /// When its lease ends.
    pub(crate) leased_until: Option<String>,
    /// The raw head of a damaged row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) head_base64: Option<String>,
}

impl Detail {
    fn of(stored: &StoredMessage) -> Self {
        let message = stored.message();
        let leased_until = match &stored.state {
            MessageState::Leased { until } => Some(rfc3339(*until)),
            _ => None,
        };
        let head_base64 = match &stored.content {
            Content::Damaged { head, .. } => Some(base64(head)),
            Content::Intact(_) => None,
        };
        Self {
            headers: message
                .map(|message| message.headers.clone())
                .unwrap_or_default(),
            group: stored.group().map(ToString::to_string),
            priority: message.map(|message| message.lane.as_str()),
            due_at: rfc3339(stored.due_at),
            expires_at: message.and_then(|message| message.expires_at).map(rfc3339),
            leased_until,
            head_base64,
        }
    }
}

/// The body, or what is left of it.
fn body(stored: &StoredMessage) -> BodyShape {
    BodyShape::from(&**stored.body())
}
