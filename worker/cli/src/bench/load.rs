//! The messages of a bench: made from their number, recognised by it.

use std::ops::Range;

use longshore::core::{GroupName, IdOrigin, JobKind, MessageId, NameError, NewMessage};
use serde::{Deserialize, Serialize};

/// The messages of one run. A message is made from its number alone, so that several processes
/// can share the work of enqueueing and every one of them can be counted when it comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Load {
    /// Tells the messages of this run from those of others.
    run: u16,
    /// The time in the ids, as the library would put it there.
    stamp: u64,
    /// The size of each body. From 2 on a body is a JSON string.
    body_bytes: usize,
    /// How many groups the messages belong to, in turns; 0: none of them has a group.
    groups: u64,
}

/// Ids keep the number in their last 5 bytes.
const NUMBER_BYTES: usize = 5;

impl Load {
    /// The kind of every message.
    pub(crate) const KIND: &'static str = "bench";

    /// The messages of run `run`, made at `stamp` (milliseconds since 1970).
    pub(crate) fn new(run: u16, stamp: u64, body_bytes: usize) -> Self {
        Self {
            run,
            stamp,
            body_bytes,
            groups: 0,
        }
    }

    /// The same where every message has one of so many groups.
    #[must_use]
    pub(crate) fn in_groups(mut self, groups: u32) -> Self {
        self.groups = u64::from(groups);
        self
    }

    /// Whether every message has a group.
    pub(crate) fn has_groups(&self) -> bool {
        self.groups > 0
    }

    /// The id of a message: a version 7 UUID, rising with the number as the library's ids do.
    pub(crate) fn id(&self, number: u64) -> MessageId {
        let mut tail = [0; 10];
        tail[3..5].copy_from_slice(&self.run.to_be_bytes());
        tail[10 - NUMBER_BYTES..].copy_from_slice(&number.to_be_bytes()[8 - NUMBER_BYTES..]);
        let id = uuid::Builder::from_unix_timestamp_millis(self.stamp, &tail);
        MessageId::from_uuid(id.into_uuid())
    }

    /// The number of a message; `None` if it is not of this run.
    pub(crate) fn number(&self, id: MessageId) -> Option<u64> {
        let mut number = [0; 8];
        let raw = id.as_uuid();
        number[8 - NUMBER_BYTES..].copy_from_slice(&raw.as_bytes()[16 - NUMBER_BYTES..]);
        let number = u64::from_be_bytes(number);
        (self.id(number) == id).then_some(number)
    }

    /// Messages in the order of their numbers, all of one group if one is given; otherwise in the
    /// groups of this load.
    pub(crate) fn messages(
        &self,
        numbers: Range<u64>,
        group: Option<&GroupName>,
    ) -> Result<Vec<NewMessage>, NameError> {
        let kind = JobKind::new(Self::KIND)?;
        let made = numbers.map(|number| {
            let (id, body) = (self.id(number), self.body(number));
            let mut message = NewMessage::new(id, IdOrigin::Fresh, kind.clone(), body);
            message.group = match group {
                Some(group) => Some(group.clone()),
                None => self.group(number)?,
            };
            Ok(message)
        });
        made.collect()
    }

    fn group(&self, number: u64) -> Result<Option<GroupName>, NameError> {
        let turn = number.checked_rem(self.groups);
        turn.map(|turn| GroupName::new(format!("group-{turn}")))
            .transpose()
    }

    /// Letters that differ from message to message, in quotes. Copied, not computed: making a
    /// body must cost next to nothing beside storing it.
    fn body(&self, number: u64) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.body_bytes);
        let turn = (number.wrapping_mul(7919) % LETTERS.len() as u64) as usize;
        let (head, tail) = LETTERS.split_at(turn);
        for part in [tail, head].into_iter().cycle() {
            let missing = self.body_bytes - body.len();
            if missing == 0 {
                break;
            }
            body.extend_from_slice(&part[..missing.min(part.len())]);
        }
        if let [first, .., last] = body.as_mut_slice() {
            (*first, *last) = (b'"', b'"');
        }
        body
    }
}

/// What bodies are made of. Its length is prime, so that every turn of it is different.
static LETTERS: [u8; 1009] = {
    let (mut letters, mut state, mut at) = ([0; 1009], 0x9e37_79b9_u32, 0);
    while at < letters.len() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        letters[at] = b'a' + (state % 26) as u8;
        at += 1;
    }
    letters
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_recognised_by_its_number_and_run() {
        let load = Load::new(7, 1_767_225_600_000, 256);
        for number in [0, 1, 255, 256, 999_999, 1 << 39] {
            let id = load.id(number);
            assert_eq!(id.as_uuid().get_version_num(), 7);
            assert_eq!(load.number(id), Some(number));
            assert_eq!(Load::new(8, 1_767_225_600_000, 256).number(id), None);
        }
        assert!(load.id(1) < load.id(2), "ids rise with the number");
    }

    #[test]
    fn bodies_have_the_asked_size_and_are_json() {
        for bytes in [0, 1, 2, 3, 256, 4096] {
            let load = Load::new(1, 0, bytes);
            let body = load.body(3);
            assert_eq!(body.len(), bytes);
            if bytes >= 2 {
                assert!(serde_json::from_slice::<String>(&body).is_ok());
            }
        }
        let load = Load::new(1, 0, 64);
        assert_ne!(load.body(1), load.body(2));
    }
}
