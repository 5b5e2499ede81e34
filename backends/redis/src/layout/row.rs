//! A stored row: head and body, and what changes beside them.

use bytes::Bytes;
use longshore_core::wire::{DecodeError, decode};
use longshore_core::{
    AttemptRecord, Content, History, Lane, Message, MessageId, MessageState, RecordedAttempt,
    Result, StoredMessage, Timestamp,
};
use uuid::Uuid;

use crate::connection::reply::Reply;
use crate::layout::receipt::AckWay;

/// A row as it lies in a stream, or packed beside it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// The 16 bytes of its id, readable when the head is not.
    pub(crate) id: Bytes,
    pub(crate) head: Bytes,
    pub(crate) body: Bytes,
    pub(crate) history: Bytes,
    pub(crate) checkpoint: Bytes,
    pub(crate) meta: Meta,
    /// Fields of dead letters.
    pub(crate) dead: Option<DeadFields>,
}

/// What lies in a dead letter besides the row.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeadFields {
    pub(crate) reason: String,
    pub(crate) error: String,
    pub(crate) at: i64,
    pub(crate) parks: bool,
}

/// The control data of a row; see `scripts/lib/rows.lua` for its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) attempts: u32,
    pub(crate) recorded: u32,
    /// When it is due, where that is not what the message says.
    pub(crate) due: Option<i64>,
    /// Its id is remembered.
    pub(crate) tracked: bool,
    /// Its body lies in a key of its own, and the row holds its name.
    pub(crate) large: bool,
    /// It is of a newer version and was put back.
    pub(crate) newer: bool,
    /// Its group; empty if it has none.
    pub(crate) group: String,
}

impl Meta {
    /// Reads the text; damage reads as a row that was never delivered.
    pub(crate) fn read(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut parts = text.splitn(6, ' ');
        let mut next = || parts.next().unwrap_or_default();
        let (attempts, recorded, due, flags) = (next(), next(), next(), next());
        let (_sequence, rest) = (next(), next());
        Self {
            attempts: attempts.parse().unwrap_or(0),
            recorded: recorded.parse().unwrap_or(0),
            due: due.parse().ok().filter(|due| *due > 0),
            tracked: flags.contains('t'),
            large: flags.contains('x'),
            newer: flags.contains('n'),
            group: group_of(rest),
        }
    }
}

/// Reads "length:group…".
fn group_of(text: &str) -> String {
    let group = text
        .split_once(':')
        .and_then(|(length, rest)| rest.get(..length.parse().ok()?));
    group.unwrap_or_default().to_owned()
}

impl Row {
    /// The row of a stream entry's fields.
    pub(crate) fn of_fields(fields: Reply) -> Result<Self> {
        let mut row = Self::default();
        let mut dead = DeadFields::default();
        let mut fields = fields.list()?.into_iter();
        let mut is_dead = false;
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            match name.bytes()?.as_ref() {
                b"h" => row.head = value.bytes()?,
                b"b" => row.body = value.bytes()?,
                b"m" => row.meta = Meta::read(&value.bytes()?),
                b"r" => row.history = value.bytes()?,
                b"k" => row.checkpoint = value.bytes()?,
                b"i" => row.id = value.bytes()?,
                b"id" => is_dead = true,
                b"w" => dead.reason = value.text()?,
                b"e" => dead.error = String::from_utf8_lossy(&value.bytes()?).into_owned(),
                b"t" => dead.at = value.number()?,
                b"g" => dead.parks = value.bytes()?.as_ref() == b"1",
                _ => {}
            }
        }
        row.dead = is_dead.then_some(dead);
        Ok(row)
    }

    /// What an ack of it has to do.
    pub(crate) fn ack_way(&self) -> AckWay {
        let meta = &self.meta;
        if meta.tracked || meta.large {
            AckWay::Special
        } else if meta.group.is_empty() {
            AckWay::Plain
        } else {
            AckWay::of_group(&meta.group)
        }
    }

    /// The message, once a large body is in its place.
    pub(crate) fn decode(&self) -> Result<Message, DecodeError> {
        decode(&self.head, self.body.clone())
    }

    /// The id the row has in the store, also where the message cannot be read.
    pub(crate) fn id(&self) -> MessageId {
        self.id.as_ref().try_into().map_or_else(
            |_| MessageId::from_content(&[&self.head, &self.body]),
            |id| MessageId::from_uuid(Uuid::from_bytes(id)),
        )
    }

    /// The row as people see it.
    pub(crate) fn view(self, state: MessageState, extra_attempts: u32) -> StoredMessage {
        let due = self.meta.due.map(Timestamp::from_millis);
        let (content, due_at) = match self.decode() {
            Ok(message) => {
                let at = message.due_at;
                (Content::Intact(message), at)
            }
            Err(_) => (self.damaged(), Timestamp::EPOCH),
        };
        let mut view = StoredMessage::of(content, state, due.unwrap_or(due_at));
        view.attempts = self.meta.attempts + extra_attempts;
        view.recorded_through = self.meta.recorded;
        view.history = read_history(&self.history);
        view.checkpoint = (!self.checkpoint.is_empty()).then_some(self.checkpoint);
        view
    }

    fn damaged(&self) -> Content {
        Content::Damaged {
            id: self.id(),
            head: self.head.clone(),
            body: self.body.clone(),
        }
    }
}

/// The bytes of an id as the scripts keep them.
pub(crate) fn id_bytes(id: MessageId) -> [u8; 16] {
    *id.as_uuid().as_bytes()
}

/// One attempt as a line of the history.
pub(crate) fn record_line(attempt: u32, record: &AttemptRecord) -> String {
    let recorded = RecordedAttempt {
        attempt,
        record: record.clone(),
    };
    serde_json::to_string(&recorded).unwrap_or_default()
}

/// The lines of a history.
pub(crate) fn history_lines(history: &History) -> String {
    let lines: Vec<String> = history
        .records()
        .iter()
        .map(|record| record_line(record.attempt, &record.record))
        .collect();
    lines.join("\n")
}

fn read_history(lines: &[u8]) -> History {
    if lines.is_empty() {
        return History::new();
    }
    let records = String::from_utf8_lossy(lines).replace('\n', ",");
    History::from_stored(format!("{{\"v\":1,\"records\":[{records}]}}").as_bytes())
}

/// The lane as the scripts write it.
pub(crate) fn lane_text(lane: Lane) -> &'static str {
    match lane {
        Lane::High => "0",
        Lane::Normal => "1",
        Lane::Low => "2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_core::Label;

    /// What a server may answer where a row is expected, in its protocol's own form.
    #[test]
    fn any_answer_is_a_row_or_strange_fuzzed() {
        let samples = [
            "*6\r\n$1\r\nm\r\n$27\r\n3 2 1767225600000 tx 9 1:ab\r\n$1\r\nb\r\n$2\r\nhi\r\n$1\r\nh\r\n$1\r\nx\r\n",
            "*8\r\n$2\r\nid\r\n:1\r\n$1\r\nt\r\n$2\r\n12\r\n$1\r\ng\r\n+1\r\n$1\r\nr\r\n$2\r\n{}\r\n",
            "%1\r\n$1\r\nw\r\n,1.5\r\n",
            "*1\r\n*2\r\n$1\r\ns\r\n*0\r\n",
            "_\r\n",
            ":-7\r\n",
        ];
        let samples = samples.map(|text| text.as_bytes().to_vec());
        longshore_fuzz::fuzz("redis-row", &samples, |input| {
            let Ok(value) = redis::parse_redis_value(input) else {
                return "no answer".into();
            };
            let reply = || Reply::new("receive", value.clone());
            let numbers = (
                reply().number().is_ok(),
                reply().optional_number().is_ok(),
                reply().count().is_ok(),
                reply().text().is_ok(),
                reply().fixed::<2>().is_ok(),
                reply().of_one_stream().is_ok(),
            );
            match Row::of_fields(reply()) {
                Ok(row) => {
                    let way = format!("{numbers:?} {:?} {}", row.ack_way(), row.dead.is_some());
                    let view = row.view(MessageState::Waiting, 1);
                    format!("{way} {}", "x".repeat(view.history.records().len()))
                }
                Err(error) => format!("{numbers:?} {error}"),
            }
        });
    }

    #[test]
    fn control_data_is_read_and_damage_is_harmless() {
        let meta = Meta::read(b"3 2 1767225600000 tx 9 3:abckey with blanks");
        assert_eq!((meta.attempts, meta.recorded), (3, 2));
        assert_eq!(meta.due, Some(1_767_225_600_000));
        assert!(meta.tracked && meta.large && meta.group == "abc" && !meta.newer);
        assert_eq!(Meta::read(b"0 0 0  0 0:"), Meta::default());
        assert_eq!(Meta::read(b"\xff garbage"), Meta { ..Meta::default() });
    }

    #[test]
    fn a_history_survives_as_lines() {
        let at = Timestamp::from_millis(5);
        let mut history = History::new();
        for attempt in 1..=3 {
            let record = AttemptRecord::new("w", at, at, Label::lossy("x"), "two\nlines");
            history.push(attempt, record);
        }
        assert_eq!(read_history(history_lines(&history).as_bytes()), history);
        assert!(read_history(b"").is_empty() && read_history(b"garbage").is_empty());
    }
}
