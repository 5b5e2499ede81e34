//! An epoch as a dead letter: all of its parts in one JSON body, so that a person can read it and a
//! redrive can fold it again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use longshore_core::{
    AttemptRecord, Content, DeadMark, DeadReason, Failure, Headers, IdOrigin, JobKind, Label,
    Message, MessageId, MessageState, NewMessage, StoredMessage, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::release::EpochName;

/// The kind of such a message.
pub(crate) const KIND: &str = "aggregate.epoch";
/// The version of the form that this build writes.
const VERSION: u8 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Form {
    version: u8,
    aggregate: String,
    key: String,
    epoch: u64,
    completed_by: String,
    parts: Vec<PartForm>,
}

/// A part; its body is text, or base64 where it is none.
#[derive(Debug, Serialize, Deserialize)]
struct PartForm {
    id: MessageId,
    position: Timestamp,
    kind: JobKind,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    headers: Headers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

impl PartForm {
    fn of(part: &Message) -> Self {
        let text = std::str::from_utf8(&part.body).ok().map(str::to_owned);
        let raw = text.is_none().then(|| STANDARD.encode(&part.body));
        Self {
            id: part.id,
            position: part.enqueued_at,
            kind: part.kind.clone(),
            headers: part.headers.clone(),
            body: text,
            body_base64: raw,
        }
    }

    fn into_message(self) -> Result<Message, String> {
        let body: Bytes = match (self.body, self.body_base64) {
            (Some(text), _) => text.into(),
            (None, Some(raw)) => {
                let raw = STANDARD.decode(raw);
                raw.map_err(|error| format!("body_base64: {error}"))?.into()
            }
            (None, None) => return Err(format!("the part {} has no body", self.id)),
        };
        let mut new = NewMessage::new(self.id, IdOrigin::Given, self.kind, body);
        new.headers = self.headers;
        Ok(new.stored_at(self.position, None))
    }
}

/// The dead letter of an epoch.
pub(crate) fn dead_letter(
    of: &EpochName,
    parts: &[Message],
    failure: &Failure,
    worker: &str,
    now: Timestamp,
) -> Result<StoredMessage, serde_json::Error> {
    let form = Form {
        version: VERSION,
        aggregate: of.aggregate.clone(),
        key: of.key.clone(),
        epoch: of.epoch,
        completed_by: of.by.clone(),
        parts: parts.iter().map(PartForm::of).collect(),
    };
    let kind = JobKind::new(KIND).unwrap_or_default();
    let new = NewMessage::new(of.id, IdOrigin::Given, kind, serde_json::to_vec(&form)?);
    let said = failure.to_string();
    let record = AttemptRecord::new(worker, now, now, failure.labelled().clone(), &said);
    let mark = DeadMark::new(DeadReason::Permanent, Some(said), now, false);
    let content = Content::Intact(new.stored_at(now, None));
    let mut dead = StoredMessage::of(content, MessageState::Dead(mark), now);
    dead.attempts = 1;
    dead.recorded_through = 1;
    dead.history.push(1, record);
    Ok(dead)
}

/// The dead letter of a part whose row is damaged.
pub(crate) fn damaged(id: MessageId, head: Bytes, body: Bytes, now: Timestamp) -> StoredMessage {
    let said = "the stored part is damaged; its epoch went on without it".to_owned();
    let mark = DeadMark::new(DeadReason::Damaged, Some(said), now, false);
    let content = Content::Damaged { id, head, body };
    StoredMessage::of(content, MessageState::Dead(mark), now)
}

/// Reads a dead letter that lives again.
pub(crate) fn read(message: &Message) -> Result<(EpochName, Vec<Message>), Failure> {
    let wrong = |why: String| {
        let said = format!("this is no epoch of an aggregate: {why}");
        Failure::permanent(said).with_label(Label::lossy("aggregate.form"))
    };
    let form: Form =
        serde_json::from_slice(&message.body).map_err(|error| wrong(error.to_string()))?;
    if form.version > VERSION {
        let said = format!(
            "its form has version {}; use a newer longshore",
            form.version
        );
        return Err(wrong(said));
    }
    let parts = form.parts.into_iter().map(PartForm::into_message);
    let parts = parts.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    let name = EpochName {
        id: message.id,
        aggregate: form.aggregate,
        key: form.key,
        epoch: form.epoch,
        by: form.completed_by,
    };
    Ok((name, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(body: &[u8]) -> Message {
        let id = MessageId::from_content(&[body]);
        let mut new = NewMessage::new(id, IdOrigin::Given, JobKind::default(), body.to_vec());
        new.headers.insert("a", "b");
        new.stored_at(Timestamp::from_millis(7), None)
    }

    #[test]
    fn an_epoch_is_read_back_whatever_its_bodies_are() {
        let of = EpochName {
            id: MessageId::from_content(&[b"epoch"]),
            aggregate: "orders".into(),
            key: "ann".into(),
            epoch: 9,
            by: "size".into(),
        };
        let parts = [part(b"{\"x\":1}"), part(&[0, 255])];
        let failure = Failure::permanent("no").with_label(Label::lossy("aggregate.fold"));
        let dead = dead_letter(&of, &parts, &failure, "w", Timestamp::from_millis(9)).unwrap();
        assert_eq!(dead.id(), of.id);
        let message = dead.message().unwrap();
        let (name, read) = read(message).unwrap();
        assert_eq!((name.key.as_str(), name.epoch), ("ann", 9));
        assert_eq!(read, parts);
        let newer =
            String::from_utf8_lossy(&message.body).replace("\"version\":1", "\"version\":2");
        let mut other = message.clone();
        other.body = newer.into();
        assert!(
            super::read(&other)
                .unwrap_err()
                .to_string()
                .contains("newer")
        );
    }
}
