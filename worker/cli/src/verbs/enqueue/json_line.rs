//! A line of `--jsonl`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::ValueEnum as _;
use longshore::core::{Dedup, Due, IdOrigin, NewMessage};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::args::{DueArgs, MessageArgs, Priority};
use crate::input::{key, reworded, text};
use crate::output::escape;
use crate::parse;

/// The line as it is written; what each key holds is read by itself, so that an error names the
/// key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    #[serde(borrow, default, deserialize_with = "given")]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    body_base64: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    #[serde(borrow)]
    group: Option<&'a RawValue>,
    #[serde(borrow)]
    priority: Option<&'a RawValue>,
    #[serde(borrow)]
    delay: Option<&'a RawValue>,
    #[serde(borrow)]
    at: Option<&'a RawValue>,
    #[serde(borrow)]
    expires: Option<&'a RawValue>,
    #[serde(borrow)]
    dedup_key: Option<&'a RawValue>,
    #[serde(borrow)]
    dedup_window: Option<&'a RawValue>,
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
    if !line.trim_start().starts_with('{') {
        return Err("it is not a JSON object; write {\"body\":…}".into());
    }
    let written: Written<'_> = serde_json::from_str(line).map_err(|error| reworded(&error))?;
    template.body = body(&written)?;
    if let Some(id) = key("id", written.id, parse::message_id)? {
        template.id = id;
        template.id_origin = IdOrigin::Given;
    }
    if let Some(kind) = key("kind", written.kind, parse::kind)? {
        template.kind = kind;
    }
    for (name, value) in headers(written.headers)? {
        template.headers.insert(name, value);
    }
    if let Some(group) = key("group", written.group, parse::group)? {
        template.group = Some(group);
    }
    if let Some(priority) = key("priority", written.priority, priority)? {
        template.lane = priority.into();
    }
    let delay = key("delay", written.delay, str::parse)?;
    let at = key("at", written.at, parse::time)?;
    if delay.is_some() && at.is_some() {
        return Err("it has both delay and at; give one of them".into());
    }
    template.due = DueArgs { delay, at }.due().or(template.due);
    if let Some(expires) = key("expires", written.expires, parse::span)? {
        template.expires = Some(Due::In(expires));
    }
    template.dedup = dedup(&written, defaults)?;
    Ok(template)
}

fn dedup(written: &Written<'_>, defaults: &MessageArgs) -> Result<Option<Dedup>, String> {
    let window = key("dedup_window", written.dedup_window, parse::span)?;
    match key("dedup_key", written.dedup_key, parse::dedup_key)? {
        Some(key) => Ok(Some(Dedup {
            key,
            window: window
                .or(defaults.dedup_window.map(|window| window.0))
                .unwrap_or(Dedup::WINDOW_DEFAULT),
        })),
        None if window.is_some() => {
            Err("it has a dedup_window and no dedup_key; give the key that is recognised".into())
        }
        None => Ok(None),
    }
}

fn body(written: &Written<'_>) -> Result<Bytes, String> {
    match (written.body, written.body_base64) {
        (Some(raw), None) if raw.get().starts_with('"') => {
            text("body", raw).map(|text| text.into_owned().into())
        }
        (Some(raw), None) => Ok(Bytes::copy_from_slice(raw.get().as_bytes())),
        (None, Some(raw)) => STANDARD
            .decode(text("body_base64", raw)?.as_bytes())
            .map(Into::into)
            .map_err(|_| "body_base64: it is not base64 with + / and padding".to_owned()),
        (Some(_), Some(_)) => Err("it has both body and body_base64; give one of them".into()),
        (None, None) => Err("it has no body; write {\"body\":…}".into()),
    }
}

fn headers(raw: Option<&RawValue>) -> Result<BTreeMap<String, String>, String> {
    let Some(raw) = raw else {
        return Ok(BTreeMap::new());
    };
    let rows: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).map_err(|_| {
        "headers: an object of strings is wanted, such as {\"name\":\"value\"}".to_owned()
    })?;
    rows.into_iter()
        .map(|(name, raw)| {
            let value = text(&format!("headers, {}", escape::cut(&name, 40)), raw)?;
            Ok((name, value.into_owned()))
        })
        .collect()
}

fn priority(text: &str) -> Result<Priority, String> {
    Priority::from_str(text, false).map_err(|_| {
        let shown = escape::cut(text, 40);
        format!("unknown priority \"{shown}\"; use high, normal or low")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::enqueue::one::{fresh_id, template};
    use longshore::core::{JobKind, Lane};

    fn read(line: &str) -> Result<NewMessage, String> {
        read_bytes(line.as_bytes())
    }

    fn read_bytes(line: &[u8]) -> Result<NewMessage, String> {
        let defaults = MessageArgs {
            kind: Some(JobKind::new("default").unwrap()),
            header: vec!["a=1".parse().unwrap()],
            group: None,
            priority: None,
            due: DueArgs {
                delay: Some("1m".parse().unwrap()),
                at: None,
            },
            expires: None,
            dedup_window: None,
        };
        message(line, template(&defaults).unwrap(), &defaults)
    }

    #[test]
    fn any_line_is_a_message_or_refused_fuzzed() {
        let samples = [
            r#"{"body":"x\ny","kind":"k","headers":{"b":"2"},"group":"g","priority":"high"}"#,
            r#"{"body":{"a":[1,2.5e3,null]},"at":"2030-01-01T00:00:00Z","expires":"1h"}"#,
            r#"{"body_base64":"/wA=","delay":"5m","dedup_key":"d","dedup_window":"1d"}"#,
            r#"{"body":"é","id":"018f3c7a-5b2e-7d11-9a3b-0123456789ab"}"#,
        ];
        let samples = samples.map(|line| line.as_bytes().to_vec());
        longshore_fuzz::fuzz("json-line", &samples, |input| match read_bytes(input) {
            Ok(message) => format!(
                "{:?} {} {} {}",
                message.lane,
                message.due.is_some(),
                message.group.is_some(),
                message.dedup.is_some()
            ),
            Err(told) => {
                assert!(told.len() < 1_000, "{told}");
                assert!(!told.contains(['\n', '\u{1b}', '\0']), "{told:?}");
                told
            }
        });
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
            ("{", "column 1: the line ends inside of the object"),
            ("[]", "not a JSON object"),
            ("not json", "not a JSON object"),
            ("{\"body\":nope}", "column 10: it is not JSON from there on"),
            ("{}", "no body"),
            (r#"{"body":1,"body":2}"#, "\"body\" is given twice"),
            (
                r#"{"bdy":1}"#,
                r#"column 6: unknown field "bdy"; did you mean "body"?"#,
            ),
            (
                r#"{"body":1,"dedup_ky":"x"}"#,
                r#"did you mean "dedup_key"?"#,
            ),
            (
                r#"{"zzzzzz":1}"#,
                "unknown field \"zzzzzz\"; known are body, body_base64, id",
            ),
            (
                r#"{"a` at line 1":1}"#,
                "unknown field \"a` at line 1\"; known",
            ),
            (r#"{"body":1,"id":"x"}"#, "id: \"x\" is not a message id"),
            (r#"{"body":1,"id":5}"#, "id: a string is wanted, not 5"),
            (
                r#"{"body":1,"kind":""}"#,
                "kind \"\" is not valid: it is empty",
            ),
            (
                r#"{"body":1,"delay":"5"}"#,
                "delay: \"5\" is not a duration",
            ),
            (r#"{"body":1,"delay":"-5s"}"#, "negative"),
            (
                r#"{"body":1,"priority":"urgent"}"#,
                "priority: unknown priority \"urgent\"",
            ),
            (
                r#"{"body":1,"headers":{"a":1}}"#,
                "headers, a: a string is wanted, not 1",
            ),
            (
                r#"{"body":1,"headers":[]}"#,
                "headers: an object of strings",
            ),
            (
                r#"{"body":1,"dedup_window":"1h"}"#,
                "a dedup_window and no dedup_key",
            ),
            (
                r#"{"body":1,"delay":"1s","at":"2030-01-01T00:00:00Z"}"#,
                "both delay and at",
            ),
            (r#"{"body":"\ud800"}"#, "body: column"),
            (r#"{"body_base64":"?"}"#, "body_base64: it is not base64"),
        ];
        for (line, expected) in table {
            let error = read(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
            for leak in ["Written", "ident", "invalid", "variant", "symbol", "EOF"] {
                assert!(!error.contains(leak), "{line}: {error}");
            }
        }
    }
}
