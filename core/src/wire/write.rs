//! Writing the stored form.

use super::{
    FRAME, HAS_DEDUP, HAS_EXPIRY, HAS_GROUP, HAS_TRACE, IS_GIVEN, MAGIC, VERSION, checksum,
};
use crate::{IdOrigin, Message};

/// The head of a message; the body is stored beside it as it is.
pub fn encode(message: &Message) -> Vec<u8> {
    encode_as(VERSION, message)
}

/// The head that a newer longshore would have written: intact, but not for this build to read.
#[cfg(feature = "test-util")]
pub fn encode_newer(message: &Message) -> Vec<u8> {
    encode_as(VERSION + 1, message)
}

fn encode_as(version: u8, message: &Message) -> Vec<u8> {
    let mut head = Vec::with_capacity(96);
    head.push(MAGIC);
    head.push(version);
    head.extend_from_slice(&[0; 8]);
    fields(&mut head, message);
    let sum = checksum(version, &head[FRAME..], &message.body);
    head[2..FRAME].copy_from_slice(&sum.to_le_bytes());
    head
}

fn fields(out: &mut Vec<u8>, message: &Message) {
    out.push(flags(message));
    out.push(message.lane.number());
    out.extend_from_slice(message.id.as_uuid().as_bytes());
    number(out, message.enqueued_at.as_millis() as u64);
    number(out, message.due_at.as_millis() as u64);
    text(out, message.kind.as_str());
    if let Some(group) = &message.group {
        text(out, group.as_str());
    }
    if let Some(at) = message.expires_at {
        number(out, at.as_millis() as u64);
    }
    if let Some(dedup) = &message.dedup {
        text(out, dedup.key.as_str());
        number(
            out,
            u64::try_from(dedup.window.as_millis()).unwrap_or(u64::MAX),
        );
    }
    if let Some(trace) = &message.trace {
        text(out, &trace.parent);
        text(out, &trace.state);
    }
    number(out, message.headers.len() as u64);
    for (name, value) in message.headers.iter() {
        text(out, name);
        text(out, value);
    }
}

fn flags(message: &Message) -> u8 {
    let mut flags = 0;
    for (set, flag) in [
        (message.group.is_some(), HAS_GROUP),
        (message.expires_at.is_some(), HAS_EXPIRY),
        (message.dedup.is_some(), HAS_DEDUP),
        (message.trace.is_some(), HAS_TRACE),
        (message.id_origin == IdOrigin::Given, IS_GIVEN),
    ] {
        if set {
            flags |= flag;
        }
    }
    flags
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
