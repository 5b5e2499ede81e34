//! Writing the stored form.

use std::time::Duration;

use super::{
    COPIED_MAX, FRAME, HAS_DEDUP, HAS_EXPIRY, HAS_GROUP, HAS_TRACE, IS_GIVEN, MAGIC, VERSION,
    checksum,
};
use crate::{
    Dedup, GroupName, Headers, IdOrigin, JobKind, Lane, Message, MessageId, NewMessage, Timestamp,
    TraceContext,
};

/// The head of a message; the body is stored beside it as it is.
pub fn encode(message: &Message) -> Vec<u8> {
    let mut head = Vec::new();
    write(VERSION, &Content::of(message), &mut head);
    head
}

/// Writes the head of a new message over what `head` held, as [`encode`] would that of
/// [`NewMessage::stored_at`], and copies nothing else. One buffer serves a whole batch.
pub fn encode_new(
    new: &NewMessage,
    now: Timestamp,
    expires_default: Option<Duration>,
    head: &mut Vec<u8>,
) {
    write(VERSION, &Content::of_new(new, now, expires_default), head);
}

/// The head that a newer longshore would have written: intact, but not for this build to read.
#[cfg(feature = "test-util")]
pub fn encode_newer(message: &Message) -> Vec<u8> {
    let mut head = Vec::new();
    write(VERSION + 1, &Content::of(message), &mut head);
    head
}

fn write(version: u8, content: &Content<'_>, head: &mut Vec<u8>) {
    head.clear();
    head.reserve(96 + content.body.len().min(COPIED_MAX));
    head.extend_from_slice(&[0; FRAME]);
    fields(head, content);
    seal(version, content.body, head);
}

/// What is written of a message.
struct Content<'a> {
    id: MessageId,
    id_origin: IdOrigin,
    kind: &'a JobKind,
    body: &'a [u8],
    headers: &'a Headers,
    group: Option<&'a GroupName>,
    lane: Lane,
    enqueued_at: Timestamp,
    due_at: Timestamp,
    expires_at: Option<Timestamp>,
    dedup: Option<&'a Dedup>,
    trace: Option<&'a TraceContext>,
}

impl<'a> Content<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            id: message.id,
            id_origin: message.id_origin,
            kind: &message.kind,
            body: &message.body,
            headers: &message.headers,
            group: message.group.as_ref(),
            lane: message.lane,
            enqueued_at: message.enqueued_at,
            due_at: message.due_at,
            expires_at: message.expires_at,
            dedup: message.dedup.as_ref(),
            trace: message.trace.as_ref(),
        }
    }

    fn of_new(new: &'a NewMessage, now: Timestamp, expires_default: Option<Duration>) -> Self {
        Self {
            id: new.id,
            id_origin: new.id_origin,
            kind: &new.kind,
            body: &new.body,
            headers: &new.headers,
            group: new.group.as_ref(),
            lane: new.lane,
            enqueued_at: now,
            due_at: new.due_at(now),
            expires_at: new.expires_at(now, expires_default),
            dedup: new.dedup.as_ref(),
            trace: new.trace.as_ref(),
        }
    }
}

fn fields(out: &mut Vec<u8>, content: &Content<'_>) {
    out.push(flags(content));
    out.push(content.lane.number());
    out.extend_from_slice(content.id.as_uuid().as_bytes());
    number(out, content.enqueued_at.as_millis() as u64);
    number(out, content.due_at.as_millis() as u64);
    text(out, content.kind.as_str());
    if let Some(group) = content.group {
        text(out, group.as_str());
    }
    if let Some(at) = content.expires_at {
        number(out, at.as_millis() as u64);
    }
    if let Some(dedup) = content.dedup {
        text(out, dedup.key.as_str());
        number(
            out,
            u64::try_from(dedup.window.as_millis()).unwrap_or(u64::MAX),
        );
    }
    if let Some(trace) = content.trace {
        text(out, &trace.parent);
        text(out, &trace.state);
    }
    number(out, content.headers.len() as u64);
    for (name, value) in content.headers.iter() {
        text(out, name);
        text(out, value);
    }
}

fn flags(content: &Content<'_>) -> u8 {
    let mut flags = 0;
    for (set, flag) in [
        (content.group.is_some(), HAS_GROUP),
        (content.expires_at.is_some(), HAS_EXPIRY),
        (content.dedup.is_some(), HAS_DEDUP),
        (content.trace.is_some(), HAS_TRACE),
        (content.id_origin == IdOrigin::Given, IS_GIVEN),
    ] {
        if set {
            flags |= flag;
        }
    }
    flags
}

/// Writes the frame of a head whose fields are there. A short body is appended for the moment of
/// hashing: one piece is several times cheaper to hash than three.
fn seal(version: u8, body: &[u8], head: &mut Vec<u8>) {
    let fields_end = head.len();
    let sum = if body.len() <= COPIED_MAX {
        head[FRAME - 1] = version;
        head.extend_from_slice(body);
        let sum = xxhash_rust::xxh3::xxh3_64(&head[FRAME - 1..]);
        head.truncate(fields_end);
        sum
    } else {
        checksum(version, &head[FRAME..], body)
    };
    head[0] = MAGIC;
    head[1] = version;
    head[2..FRAME].copy_from_slice(&sum.to_le_bytes());
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn text(out: &mut Vec<u8>, value: &str) {
    number(out, value.len() as u64);
    out.extend_from_slice(value.as_bytes());
}
