//! A line of `--jsonl`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use longshore::core::{Dedup, Due, IdOrigin, NewMessage, nearest};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::checks;
use crate::args::{MessageArgs, Priority};
use crate::parse;

/// The line as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    #[serde(borrow, default, deserialize_with = "given")]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    body_base64: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    headers: Option<BTreeMap<String, String>>,
    #[serde(borrow)]
    group: Option<Cow<'a, str>>,
    priority: Option<Priority>,
    #[serde(borrow)]
    delay: Option<Cow<'a, str>>,
    #[serde(borrow)]
    at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    expires: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dedup_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dedup_window: Option<Cow<'a, str>>,
}

/// A body that is there, also where it is `null`.
fn given<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    Deserialize::deserialize(from).map(Some)
}

/// The message of a line: what the line says, else what the `template` of the options says.
pub(super) fn message(
    line: &[u8],
    mut template: NewMessage,
    defaults: &MessageArgs,
) -> Result<NewMessage, String> {
    let line = std::str::from_utf8(line)
        .map_err(|error| format!("it is not UTF-8 from byte {} on", error.valid_up_to() + 1))?;
    let written: Written<'_> = serde_json::from_str(line).map_err(|error| reworded(&error))?;
    template.body = body(&written)?;
    if let Some(id) = &written.id {
        template.id = parse::message_id(id)?;
        template.id_origin = IdOrigin::Given;
    }
    if let Some(kind) = &written.kind {
        template.kind = parse::kind(kind)?;
    }
    for (name, value) in written.headers.into_iter().flatten() {
        template.headers.insert(name, value);
    }
    if let Some(group) = &written.group {
        template.group = Some(parse::group(group)?);
    }
    if let Some(priority) = written.priority {
        template.lane = priority.into();
    }
    if written.delay.is_some() && written.at.is_some() {
        return Err("it has both delay and at; give one of them".into());
    }
    let delay = written.delay.as_deref().map(str::parse).transpose()?;
    let at = written.at.as_deref().map(parse::time).transpose()?;
    template.due = checks::due(delay, at).or(template.due);
    if let Some(expires) = &written.expires {
        template.expires = Some(Due::In(parse::span(expires)?));
    }
    let window = written
        .dedup_window
        .as_deref()
        .map(parse::span)
        .transpose()?;
    let default = defaults.dedup_window.map(|window| window.0);
    template.dedup = match &written.dedup_key {
        None => None,
        Some(key) => Some(Dedup {
            key: parse::dedup_key(key)?,
            window: window.or(default).unwrap_or(Dedup::WINDOW_DEFAULT),
        }),
    };
    Ok(template)
}

fn body(written: &Written<'_>) -> Result<Bytes, String> {
    match (written.body, &written.body_base64) {
        (Some(raw), None) if raw.get().starts_with('"') => {
            let text: String = serde_json::from_str(raw.get())
                .map_err(|error| format!("body, {}", reworded(&error)))?;
            Ok(text.into())
        }
        (Some(raw), None) => Ok(Bytes::copy_from_slice(raw.get().as_bytes())),
        (None, Some(encoded)) => STANDARD
            .decode(encoded.as_bytes())
            .map(Into::into)
            .map_err(|error| format!("body_base64 is not base64: {error}")),
        (Some(_), Some(_)) => Err("it has both body and body_base64; give one of them".into()),
        (None, None) => Err("it has no body; write {\"body\":…}".into()),
    }
}

/// A JSON error with its column; the line is told by whoever counts them.
fn reworded(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (what, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
    let what = unknown_field(what).unwrap_or_else(|| what.to_owned());
    if error.column() == 0 {
        return what;
    }
    format!("column {}: {what}", error.column())
}

/// The nearest field instead of a list of all, where there is one.
fn unknown_field(what: &str) -> Option<String> {
    let (given, known) = what
        .strip_prefix("unknown field `")?
        .split_once("`, expected one of ")?;
    let known = known.split(", ").map(|name| name.trim_matches('`'));
    let near = nearest(given, known)?;
    Some(format!("unknown field {given:?}; did you mean {near:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::enqueue::one::{fresh_id, template};
    use longshore::core::{JobKind, Lane};

    fn read(line: &str) -> Result<NewMessage, String> {
        let defaults = MessageArgs {
            kind: Some(JobKind::new("default").unwrap()),
            header: vec!["a=1".parse().unwrap()],
            group: None,
            priority: None,
            delay: Some("1m".parse().unwrap()),
            at: None,
            expires: None,
            dedup_window: None,
        };
        message(line.as_bytes(), template(&defaults).unwrap(), &defaults)
    }

    #[test]
    fn a_line_wins_over_the_options() {
        let id = fresh_id();
        let line = format!(
            r#"{{"body":"x\ny","id":"{id}","kind":"k","headers":{{"b":"2"}},"group":"g",
               "priority":"high","at":"2030-01-01T00:00:00Z","expires":"1h","dedup_key":"d"}}"#
        );
        let message = read(&line).unwrap();
        assert_eq!((message.id, message.id_origin), (id, IdOrigin::Given));
        assert_eq!(&message.body[..], b"x\ny");
        assert_eq!(message.kind.as_str(), "k");
        assert_eq!(message.headers.iter().count(), 2);
        assert_eq!(message.lane, Lane::High);
        assert!(matches!(message.due, Some(Due::At(_))));
        assert_eq!(message.dedup.unwrap().window, Dedup::WINDOW_DEFAULT);
        let plain = read(r#"{"body":"x"}"#).unwrap();
        assert_eq!(plain.kind.as_str(), "default");
        assert!(matches!(plain.due, Some(Due::In(_))));
    }

    #[test]
    fn other_bodies_are_kept_as_they_are_written() {
        for json in ["{\"a\": 1.50}", "[1, 2]", "17", "true", "null"] {
            let message = read(&format!("{{\"body\":{json}}}")).unwrap();
            assert_eq!(&message.body[..], json.as_bytes());
        }
        let bytes = read(r#"{"body_base64":"/wA="}"#).unwrap();
        assert_eq!(&bytes.body[..], [0xff, 0]);
    }

    #[test]
    fn wrong_lines_get_a_sentence() {
        let table = [
            ("{", "EOF"),
            ("[]", "column"),
            ("{}", "no body"),
            (r#"{"body":1,"body":2}"#, "duplicate field"),
            (
                r#"{"bdy":1}"#,
                r#"column 6: unknown field "bdy"; did you mean "body"?"#,
            ),
            (
                r#"{"body":1,"dedup_ky":"x"}"#,
                r#"did you mean "dedup_key"?"#,
            ),
            (r#"{"zzzzzz":1}"#, "unknown field `zzzzzz`, expected one of"),
            (r#"{"a` at line 1":1}"#, "unknown field `a` at line 1`"),
            (r#"{"body":1,"id":"x"}"#, "not a message id"),
            (r#"{"body":1,"kind":""}"#, "it is empty"),
            (r#"{"body":1,"delay":"5"}"#, "give it a unit"),
            (r#"{"body":1,"delay":"-5s"}"#, "negative"),
            (r#"{"body":1,"priority":"urgent"}"#, "unknown variant"),
            (r#"{"body":1,"headers":{"a":1}}"#, "invalid type"),
            (
                r#"{"body":1,"delay":"1s","at":"2030-01-01T00:00:00Z"}"#,
                "both delay and at",
            ),
            (r#"{"body":"\ud800"}"#, "body, column"),
            (r#"{"body_base64":"?"}"#, "not base64"),
        ];
        for (line, expected) in table {
            let error = read(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
