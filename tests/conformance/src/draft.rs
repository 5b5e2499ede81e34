//! New messages, written in one line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longshore_core::{
    Dedup, DedupKey, Due, GroupName, IdOrigin, JobKind, Lane, MessageId, NewMessage,
};
use uuid::Uuid;

/// A message with a fresh id and this body.
pub(crate) fn message(body: impl AsRef<[u8]>) -> NewMessage {
    let id = MessageId::from_uuid(Uuid::now_v7());
    new(id, IdOrigin::Fresh, body)
}

/// A message with a given id that no other case has, and this body.
pub(crate) fn given(body: impl AsRef<[u8]>) -> NewMessage {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let id = MessageId::from_content(&[b"conformance", &number.to_be_bytes()]);
    new(id, IdOrigin::Given, body)
}

/// Messages with fresh ids, one for each body.
pub(crate) fn messages<const N: usize>(bodies: [&str; N]) -> Vec<NewMessage> {
    bodies.into_iter().map(message).collect()
}

fn new(id: MessageId, origin: IdOrigin, body: impl AsRef<[u8]>) -> NewMessage {
    NewMessage::new(id, origin, JobKind::default(), body.as_ref().to_vec())
}

/// What a new message may have beyond id and body.
pub(crate) trait Draft: Sized {
    /// Puts it in a group.
    fn group(self, name: &str) -> Self;
    /// Puts it in a lane.
    fn lane(self, lane: Lane) -> Self;
    /// Makes it due in so many seconds.
    fn due_in(self, seconds: u64) -> Self;
    /// Makes it expire in so many seconds.
    fn expires_in(self, seconds: u64) -> Self;
    /// Gives it a dedup key that is recognised for so many seconds.
    fn dedup(self, key: &str, seconds: u64) -> Self;
    /// Gives it a header.
    fn header(self, name: &str, value: &str) -> Self;
}

impl Draft for NewMessage {
    fn group(mut self, name: &str) -> Self {
        self.group = Some(GroupName::new(name).expect("a group name"));
        self
    }

    fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    fn due_in(mut self, seconds: u64) -> Self {
        self.due = Some(Due::In(secs(seconds)));
        self
    }

    fn expires_in(mut self, seconds: u64) -> Self {
        self.expires = Some(Due::In(secs(seconds)));
        self
    }

    fn dedup(mut self, key: &str, seconds: u64) -> Self {
        self.dedup = Some(Dedup {
            key: DedupKey::new(key).expect("a dedup key"),
            window: secs(seconds),
        });
        self
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// A number of seconds.
pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One millisecond: the smallest difference of two times.
pub(crate) const MILLI: Duration = Duration::from_millis(1);

/// The last moment before `span` is over.
pub(crate) fn just_before(span: Duration) -> Duration {
    span.saturating_sub(MILLI)
}
