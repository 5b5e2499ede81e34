//! What a store keeps.

pub(crate) mod headers;
pub(crate) mod id;
pub(crate) mod job;
pub(crate) mod lane;
pub(crate) mod name;

use std::time::Duration;

use bytes::Bytes;

use crate::{DedupKey, Due, GroupName, Headers, IdOrigin, JobKind, Lane, MessageId, Timestamp};

/// A dedup key and how long it is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dedup {
    /// The key; its scope is the queue, and the group for a grouped message.
    pub key: DedupKey,
    /// How long after the first enqueue a repeat answers Duplicate. Default 1 h.
    pub window: Duration,
}

impl Dedup {
    /// The window of a key that names none.
    pub const WINDOW_DEFAULT: Duration = Duration::from_secs(3600);
}

/// W3C trace context, carried with the message and never rewritten on a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The `traceparent` header.
    pub parent: String,
    /// The `tracestate` header, empty if there is none.
    pub state: String,
}

/// A message on its way into a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewMessage {
    /// Its identity.
    pub id: MessageId,
    /// Who made the id.
    pub id_origin: IdOrigin,
    /// The stored name of the job type.
    pub kind: JobKind,
    /// The payload: any bytes.
    pub body: Bytes,
    /// The user's headers.
    pub headers: Headers,
    /// Members of a group are worked one at a time, in order.
    pub group: Option<GroupName>,
    /// Its priority.
    pub lane: Lane,
    /// When it becomes due; `None` is at once.
    pub due: Option<Due>,
    /// When it expires; `None` takes the queue's setting.
    pub expires: Option<Due>,
    /// Recognise a repeat of this key.
    pub dedup: Option<Dedup>,
    /// Where the message came from, for tracing.
    pub trace: Option<TraceContext>,
}

impl NewMessage {
    /// A message of this id, kind and body; everything else is at its default.
    pub fn new(id: MessageId, id_origin: IdOrigin, kind: JobKind, body: impl Into<Bytes>) -> Self {
        Self {
            id,
            id_origin,
            kind,
            body: body.into(),
            headers: Headers::new(),
            group: None,
            lane: Lane::Normal,
            due: None,
            expires: None,
            dedup: None,
            trace: None,
        }
    }

    /// What the store keeps of it, where the store's clock shows `now` and the queue lets
    /// messages expire after `expires_default`.
    pub fn stored_at(&self, now: Timestamp, expires_default: Option<Duration>) -> Message {
        Message {
            id: self.id,
            id_origin: self.id_origin,
            kind: self.kind.clone(),
            body: self.body.clone(),
            headers: self.headers.clone(),
            group: self.group.clone(),
            lane: self.lane,
            enqueued_at: now,
            due_at: self.due_at(now),
            expires_at: self.expires_at(now, expires_default),
            dedup: self.dedup.clone(),
            trace: self.trace.clone(),
        }
    }

    /// When it becomes due, where the store's clock shows `now`.
    pub fn due_at(&self, now: Timestamp) -> Timestamp {
        self.due.map_or(now, |due| due.resolve(now))
    }

    /// When it expires, where the store's clock shows `now` and the queue lets messages expire
    /// after `expires_default`.
    pub fn expires_at(
        &self,
        now: Timestamp,
        expires_default: Option<Duration>,
    ) -> Option<Timestamp> {
        let expires = self.expires.or(expires_default.map(Due::In));
        expires.map(|due| due.resolve(now))
    }

    /// Says why it could never be delivered, if it surely expires before it is due. A span and a
    /// point in time are not compared: only the store knows its clock.
    pub fn check_times(&self) -> Result<(), String> {
        match (self.expires, self.due.unwrap_or(Due::NOW)) {
            (Some(Due::In(expires)), _) if expires.is_zero() => {
                Err("it would expire at once; let it expire later, or leave expires out".to_owned())
            }
            (Some(Due::In(expires)), Due::In(delay)) if expires <= delay => Err(format!(
                "it would expire after {expires:?} and is not due before {delay:?}; let it expire \
                 after it is due"
            )),
            (Some(Due::At(expires)), Due::At(due)) if expires <= due => {
                Err("it would expire before it is due; let it expire after it is due".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// A message as a store keeps it. It does not change while it lives; what changes (attempts,
/// due time of a retry, history) lies beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// Its identity.
    pub id: MessageId,
    /// Who made the id.
    pub id_origin: IdOrigin,
    /// The stored name of the job type.
    pub kind: JobKind,
    /// The payload.
    pub body: Bytes,
    /// The user's headers.
    pub headers: Headers,
    /// Its group.
    pub group: Option<GroupName>,
    /// Its priority.
    pub lane: Lane,
    /// When the store took it, by the store's clock.
    pub enqueued_at: Timestamp,
    /// When it first became due.
    pub due_at: Timestamp,
    /// When it expires; cleared by a redrive.
    pub expires_at: Option<Timestamp>,
    /// Its dedup key.
    pub dedup: Option<Dedup>,
    /// Where it came from.
    pub trace: Option<TraceContext>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surely_expires_before_it_is_due_is_refused() {
        let span = |seconds| Due::In(Duration::from_secs(seconds));
        let at = |millis| Due::At(Timestamp::from_millis(millis));
        for (expires, due, is_sound) in [
            (None, Some(span(9)), true),
            (Some(span(0)), None, false),
            (Some(span(1)), None, true),
            (Some(span(5)), Some(span(4)), true),
            (Some(span(5)), Some(span(5)), false),
            (Some(at(7)), Some(at(6)), true),
            (Some(at(7)), Some(at(7)), false),
            // Only the store knows its clock.
            (Some(span(5)), Some(at(7)), true),
            (Some(at(7)), Some(span(5)), true),
        ] {
            let id = MessageId::from_uuid(uuid::Uuid::from_u128(1));
            let mut new = NewMessage::new(id, IdOrigin::Fresh, JobKind::default(), "");
            (new.expires, new.due) = (expires, due);
            assert_eq!(new.check_times().is_ok(), is_sound, "{expires:?} {due:?}");
        }
    }

    #[test]
    fn its_own_expiry_wins_over_that_of_the_queue() {
        let now = Timestamp::from_millis(1_000);
        let id = MessageId::from_uuid(uuid::Uuid::from_u128(1));
        let mut new = NewMessage::new(id, IdOrigin::Fresh, JobKind::default(), "");
        let of_queue = Some(Duration::from_millis(500));
        assert_eq!(new.expires_at(now, None), None);
        let at = |millis| Some(Timestamp::from_millis(millis));
        assert_eq!(new.expires_at(now, of_queue), at(1_500));
        new.expires = Some(Due::In(Duration::from_millis(20)));
        assert_eq!(new.expires_at(now, of_queue), at(1_020));
    }
}
