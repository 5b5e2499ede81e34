//! A line that `dead export` wrote, read back.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use longshore::core::{
    AttemptRecord, Content, DeadMark, DeadReason, Dedup, Due, Headers, History, IdOrigin, Label,
    Lane, Message, MessageId, MessageState, NewMessage, StoredMessage, Timestamp, TraceContext,
};
use serde::Deserialize;

use crate::input::reworded;
use crate::output::escape;
use crate::parse;

type Read<T> = Result<T, String>;

/// What counts of a line. Others of its keys are for people, and follow from these.
#[derive(Debug, Deserialize)]
struct Written {
    id: String,
    #[serde(default)]
    given_id: bool,
    kind: Option<String>,
    reason: Option<String>,
    error: Option<String>,
    #[serde(default)]
    attempts: u32,
    recorded_through: Option<u32>,
    first_enqueued_at: Option<String>,
    dead_at: Option<String>,
    #[serde(default)]
    history: Vec<Line>,
    body: Option<String>,
    body_base64: Option<String>,
    head_base64: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    group: Option<String>,
    priority: Option<String>,
    due_at: Option<String>,
    expires_at: Option<String>,
    dedup_key: Option<String>,
    dedup_window_ms: Option<u64>,
    traceparent: Option<String>,
    tracestate: Option<String>,
    #[serde(default)]
    parks_group: bool,
    checkpoint_base64: Option<String>,
}

/// One that was lost has no worker, and left no record.
#[derive(Debug, Deserialize)]
struct Line {
    attempt: u32,
    worker: Option<String>,
    started_at: Option<String>,
    ended_at: Option<String>,
    error: Option<String>,
    label: String,
}

/// The dead letter of a line.
pub(super) fn read(line: &[u8]) -> Read<StoredMessage> {
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("it is not UTF-8 from byte {} on", error.valid_up_to() + 1))?;
    if !text.trim_start().starts_with('{') {
        return Err("it is not a JSON object, as dead export writes them".into());
    }
    let written: Written = serde_json::from_str(text).map_err(|error| reworded(&error))?;
    let mark = mark(&written)?;
    let due_at = time("due_at", written.due_at.as_deref())?.unwrap_or(mark.dead_at);
    let (history, last_recorded) = history(&written.history)?;
    let mut stored =
        StoredMessage::of(content(&written, due_at)?, MessageState::Dead(mark), due_at);
    stored.attempts = written.attempts;
    stored.recorded_through = written
        .recorded_through
        .unwrap_or(last_recorded)
        .min(written.attempts);
    stored.history = history;
    stored.checkpoint = bytes("checkpoint_base64", written.checkpoint_base64.as_deref())?;
    Ok(stored)
}

fn mark(written: &Written) -> Read<DeadMark> {
    let Some(reason) = &written.reason else {
        return Err("it has no reason: it is no dead letter".into());
    };
    let reason = DeadReason::from_stored(reason).ok_or_else(|| {
        let known = DeadReason::ALL.map(DeadReason::as_str).join(", ");
        let shown = escape::cut(reason, 40);
        format!("reason: \"{shown}\" is none of {known}")
    })?;
    let dead_at = time("dead_at", written.dead_at.as_deref())?
        .ok_or("it has no dead_at: it is no dead letter")?;
    let error = written.error.clone();
    Ok(DeadMark::new(reason, error, dead_at, written.parks_group))
}

fn content(written: &Written, due_at: Timestamp) -> Read<Content> {
    let id = parse::message_id(&written.id).map_err(|error| format!("id: {error}"))?;
    let body = body(written)?;
    match bytes("head_base64", written.head_base64.as_deref())? {
        Some(head) => Ok(Content::Damaged { id, head, body }),
        None => Ok(Content::Intact(message(written, id, body, due_at)?)),
    }
}

fn message(written: &Written, id: MessageId, body: Bytes, due_at: Timestamp) -> Read<Message> {
    let origin = if written.given_id {
        IdOrigin::Given
    } else {
        IdOrigin::Fresh
    };
    let kind = written.kind.as_deref().ok_or("it has no kind")?;
    let mut new = NewMessage::new(id, origin, parse::kind(kind)?, body);
    let group = written.group.as_deref().map(parse::group);
    new.group = group.transpose()?;
    new.headers = headers(&written.headers)?;
    if let Some(word) = written.priority.as_deref() {
        new.lane = Lane::ALL
            .into_iter()
            .find(|lane| lane.as_str() == word)
            .ok_or_else(|| format!("priority: \"{}\" is none", escape::cut(word, 40)))?;
    }
    new.due = Some(Due::At(due_at));
    new.dedup = match written.dedup_key.as_deref() {
        Some(key) => Some(Dedup {
            key: parse::dedup_key(key)?,
            window: written
                .dedup_window_ms
                .map_or(Dedup::WINDOW_DEFAULT, Duration::from_millis),
        }),
        None => None,
    };
    new.trace = written.traceparent.clone().map(|parent| TraceContext {
        parent,
        state: written.tracestate.clone().unwrap_or_default(),
    });
    let enqueued_at = time("first_enqueued_at", written.first_enqueued_at.as_deref())?
        .ok_or("it has no first_enqueued_at")?;
    let mut message = new.stored_at(enqueued_at, None);
    message.expires_at = time("expires_at", written.expires_at.as_deref())?;
    Ok(message)
}

fn headers(written: &BTreeMap<String, String>) -> Read<Headers> {
    let mut headers = Headers::new();
    for (name, value) in written {
        headers.insert(name, value);
    }
    headers.check().map(|()| headers)
}

fn body(written: &Written) -> Read<Bytes> {
    match (&written.body, &written.body_base64) {
        (Some(text), None) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        (None, Some(text)) => bytes("body_base64", Some(text)).map(Option::unwrap_or_default),
        (Some(_), Some(_)) => Err("it has both body and body_base64".into()),
        (None, None) => Err("it has no body".into()),
    }
}

/// The records, and the attempt of the last one.
fn history(rows: &[Line]) -> Read<(History, u32)> {
    let mut history = History::new();
    let mut last = 0;
    for row in rows {
        let Some(worker) = &row.worker else {
            continue;
        };
        let at = |key, text: &Option<String>| {
            let at = time(key, text.as_deref())?;
            at.ok_or_else(|| format!("history: attempt {} has no {key}", row.attempt))
        };
        let record = AttemptRecord::new(
            worker,
            at("started_at", &row.started_at)?,
            at("ended_at", &row.ended_at)?,
            Label::lossy(&row.label),
            row.error.clone().unwrap_or_default(),
        );
        history.push(row.attempt, record);
        last = row.attempt;
    }
    Ok((history, last))
}

fn time(key: &str, text: Option<&str>) -> Read<Option<Timestamp>> {
    let at = text.map(parse::time).transpose();
    at.map_err(|error| format!("{key}: {error}"))
}

fn bytes(key: &str, text: Option<&str>) -> Read<Option<Bytes>> {
    let decoded = text.map(|text| STANDARD.decode(text)).transpose();
    decoded
        .map(|bytes| bytes.map(Bytes::from))
        .map_err(|_| format!("{key}: it is not base64 with + / and padding"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Exported;
    use longshore::core::{DedupKey, GroupName, JobKind, QueueName};

    /// A dead letter with everything that one can have.
    fn full() -> StoredMessage {
        let at = |ms: i64| Timestamp::from_millis(1_800_000_000_000 + ms);
        let id = MessageId::from_content(&[b"full"]);
        let kind = JobKind::new("resize").unwrap();
        let mut new = NewMessage::new(id, IdOrigin::Given, kind, vec![0xff, 0, 7]);
        new.headers.insert("tenant", "a");
        new.group = GroupName::new("g").ok();
        new.lane = Lane::High;
        new.due = Some(Due::At(at(50)));
        new.dedup = Some(Dedup {
            key: DedupKey::new("k").unwrap(),
            window: Duration::from_mins(3),
        });
        new.trace = Some(TraceContext {
            parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
            state: "a=b".into(),
        });
        let mut message = new.stored_at(at(1), None);
        message.expires_at = Some(at(9_999));
        let error = Some("boom".to_owned());
        let mark = DeadMark::new(DeadReason::Exhausted, error, at(77), true);
        let mut stored =
            StoredMessage::of(Content::Intact(message), MessageState::Dead(mark), at(50));
        stored.attempts = 5;
        stored.recorded_through = 4;
        for attempt in [2, 4] {
            let label = Label::lossy("timeout");
            let record = AttemptRecord::new("w1", at(51), at(60), label, "slow");
            stored.history.push(attempt, record);
        }
        stored.checkpoint = Some(Bytes::from_static(b"\x01step"));
        stored
    }

    fn line(stored: &StoredMessage) -> String {
        let queue = QueueName::new("q").unwrap();
        serde_json::to_string(&Exported::of(&queue, stored)).unwrap()
    }

    #[test]
    fn what_is_exported_is_read_back_whole() {
        let full = full();
        assert_eq!(read(line(&full).as_bytes()), Ok(full));
    }

    #[test]
    fn a_damaged_row_stays_what_it_is() {
        let mut damaged = full();
        damaged.content = Content::Damaged {
            id: damaged.id(),
            head: Bytes::from_static(b"\x01\x02"),
            body: Bytes::from_static(b"rest"),
        };
        assert_eq!(read(line(&damaged).as_bytes()), Ok(damaged));
    }

    #[test]
    fn lines_of_an_older_export_miss_little() {
        let mut value: serde_json::Value = serde_json::from_str(&line(&full())).unwrap();
        let fields = value.as_object_mut().unwrap();
        for later in [
            "given_id",
            "recorded_through",
            "dedup_window_ms",
            "tracestate",
        ] {
            assert!(fields.remove(later).is_some(), "{later}");
        }
        let stored = read(value.to_string().as_bytes()).unwrap();
        assert_eq!(stored.recorded_through, 4, "that of the last record");
        assert_eq!(stored.history, full().history);
    }

    #[test]
    fn other_lines_get_a_sentence() {
        let without = |key: &str| {
            let mut value: serde_json::Value = serde_json::from_str(&line(&full())).unwrap();
            value.as_object_mut().unwrap().remove(key);
            value.to_string()
        };
        let with = |key: &str, text: &str| {
            let mut value: serde_json::Value = serde_json::from_str(&line(&full())).unwrap();
            value[key] = text.into();
            value.to_string()
        };
        let table = [
            ("[]".to_owned(), "not a JSON object"),
            ("{".to_owned(), "the line ends inside"),
            (without("id"), "missing field `id`"),
            (without("reason"), "no dead letter"),
            (without("dead_at"), "no dead letter"),
            (without("body_base64"), "no body"),
            (without("kind"), "no kind"),
            (with("id", "x"), "id: \"x\""),
            (
                with("reason", "tired"),
                "reason: \"tired\" is none of exhausted",
            ),
            (with("dead_at", "soon"), "dead_at: \"soon\" is not a time"),
            (with("priority", "urgent"), "priority: \"urgent\""),
            (
                with("checkpoint_base64", "?"),
                "checkpoint_base64: it is not base64",
            ),
            (with("group", ""), "group"),
        ];
        for (line, expected) in table {
            let error = read(line.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
