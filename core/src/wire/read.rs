//! Reading the stored form. What comes back from a store is never trusted.

use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::{
    FLAGS, FRAME, HAS_DEDUP, HAS_EXPIRY, HAS_GROUP, HAS_TRACE, IS_GIVEN, MAGIC, VERSION, checksum,
};
use crate::{
    Dedup, DedupKey, GroupName, Headers, IdOrigin, JobKind, Lane, Message, MessageId, Timestamp,
    TraceContext,
};

/// Why a stored row is no message to this build.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are not what was written.
    #[error("the stored form is damaged: {0}")]
    Damaged(&'static str),
    /// Intact, but written by a newer longshore.
    #[error("the stored form has version {0}, this build reads up to {VERSION}")]
    Newer(u8),
}

/// The message of a head and its body.
pub fn decode(head: &[u8], body: Bytes) -> Result<Message, DecodeError> {
    if head.len() < FRAME || head[0] != MAGIC {
        return Err(DecodeError::Damaged("not a longshore message header"));
    }
    let version = head[1];
    let sum = u64::from_le_bytes(head[2..FRAME].try_into().unwrap_or_default());
    if checksum(version, &head[FRAME..], &body) != sum {
        return Err(DecodeError::Damaged("the checksum does not match"));
    }
    match version {
        VERSION => Fields(&head[FRAME..]).message(body),
        0 => Err(DecodeError::Damaged("there is no version 0")),
        newer => Err(DecodeError::Newer(newer)),
    }
}

/// What is left to read of the fields.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn message(mut self, body: Bytes) -> Result<Message, DecodeError> {
        let flags = self.byte()?;
        if flags & !FLAGS != 0 {
            return Err(DecodeError::Damaged("an unknown flag is set"));
        }
        let has = |flag: u8| flags & flag != 0;
        let lane = Lane::from_number(self.byte()?).ok_or(DecodeError::Damaged("no such lane"))?;
        let id = MessageId::from_uuid(Uuid::from_bytes(self.array()?));
        let enqueued_at = self.time()?;
        let due_at = self.time()?;
        let kind =
            JobKind::new(self.text()?).map_err(|_| DecodeError::Damaged("the kind is no kind"))?;
        let group = if has(HAS_GROUP) {
            Some(self.group()?)
        } else {
            None
        };
        let expires_at = if has(HAS_EXPIRY) {
            Some(self.time()?)
        } else {
            None
        };
        let dedup = if has(HAS_DEDUP) {
            Some(self.dedup()?)
        } else {
            None
        };
        let trace = if has(HAS_TRACE) {
            Some(self.trace()?)
        } else {
            None
        };
        let headers = self.headers()?;
        if !self.0.is_empty() {
            return Err(DecodeError::Damaged("bytes are left over"));
        }
        let id_origin = if has(IS_GIVEN) {
            IdOrigin::Given
        } else {
            IdOrigin::Fresh
        };
        Ok(Message {
            id,
            id_origin,
            kind,
            body,
            headers,
            group,
            lane,
            enqueued_at,
            due_at,
            expires_at,
            dedup,
            trace,
        })
    }

    fn group(&mut self) -> Result<GroupName, DecodeError> {
        GroupName::new(self.text()?).map_err(|_| DecodeError::Damaged("the group is no group"))
    }

    fn dedup(&mut self) -> Result<Dedup, DecodeError> {
        let key = DedupKey::new(self.text()?)
            .map_err(|_| DecodeError::Damaged("the dedup key is no key"))?;
        Ok(Dedup {
            key,
            window: Duration::from_millis(self.number()?),
        })
    }

    fn trace(&mut self) -> Result<TraceContext, DecodeError> {
        Ok(TraceContext {
            parent: self.text()?.to_owned(),
            state: self.text()?.to_owned(),
        })
    }

    fn headers(&mut self) -> Result<Headers, DecodeError> {
        let count = self.number()?;
        if count > Headers::COUNT_MAX as u64 {
            return Err(DecodeError::Damaged("too many headers"));
        }
        let mut headers = Headers::new();
        for _ in 0..count {
            let name = self.text()?.to_owned();
            headers.insert(name, self.text()?);
        }
        Ok(headers)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], DecodeError> {
        if count > self.0.len() {
            return Err(DecodeError::Damaged("it ends early"));
        }
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    fn array(&mut self) -> Result<[u8; 16], DecodeError> {
        self.take(16)?
            .try_into()
            .map_err(|_| DecodeError::Damaged("it ends early"))
    }

    fn number(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Damaged("a number is too long"))
    }

    fn time(&mut self) -> Result<Timestamp, DecodeError> {
        let millis = i64::try_from(self.number()?)
            .map_err(|_| DecodeError::Damaged("a time is out of range"))?;
        Ok(Timestamp::from_millis(millis))
    }

    fn text(&mut self) -> Result<&str, DecodeError> {
        let length = usize::try_from(self.number()?)
            .map_err(|_| DecodeError::Damaged("a length is out of range"))?;
        std::str::from_utf8(self.take(length)?)
            .map_err(|_| DecodeError::Damaged("a text is not UTF-8"))
    }
}
