//! The fields that a condition can name.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use longshore::core::{DeadReason, StoredMessage, Timestamp, nearest};

use crate::output::escape;
use crate::parse::{rfc3339, time};

const NAMES: [&str; 10] = [
    "id",
    "kind",
    "reason",
    "error",
    "label",
    "group",
    "attempts",
    "first_enqueued_at",
    "dead_at",
    "header.NAME",
];

/// A field of a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// The id.
    Id,
    /// The kind.
    Kind,
    /// Why it was given up.
    Reason,
    /// The last error.
    Error,
    /// The label of the last failure.
    Label,
    /// The group.
    Group,
    /// Deliveries since enqueue or redrive.
    Attempts,
    /// When it was stored.
    FirstEnqueuedAt,
    /// When it was given up.
    DeadAt,
    /// A header.
    Header(String),
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Time(Timestamp),
}

impl Value<'_> {
    /// The value as text.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Time(at) => Cow::Owned(rfc3339(*at)),
        }
    }

    /// Whether the value is what was asked for.
    pub(super) fn is(&self, wanted: &str) -> bool {
        match self {
            Self::Time(at) => time(wanted) == Ok(*at),
            _ => self.text() == wanted,
        }
    }
}

impl Field {
    /// The value in a message; `None` if it has none.
    pub(super) fn of<'a>(&self, stored: &'a StoredMessage) -> Option<Value<'a>> {
        let text = |text: &'a str| Value::Text(Cow::Borrowed(text));
        let last = || stored.history.last().map(|last| &last.record);
        match self {
            Self::Id => Some(Value::Text(Cow::Owned(stored.id().to_string()))),
            Self::Kind => stored.kind().map(|kind| text(kind.as_str())),
            Self::Reason => stored.dead().map(|mark| text(mark.reason.as_str())),
            Self::Error => stored
                .dead()
                .and_then(|mark| mark.error.as_deref())
                .or_else(|| last().map(|record| record.error.as_str()))
                .map(text),
            Self::Label => last().map(|record| text(record.label.as_str())),
            Self::Group => stored.group().map(|group| text(group.as_str())),
            Self::Attempts => Some(Value::Number(u64::from(stored.attempts))),
            Self::FirstEnqueuedAt => stored.message().map(|of| Value::Time(of.enqueued_at)),
            Self::DeadAt => stored.dead().map(|mark| Value::Time(mark.dead_at)),
            Self::Header(name) => stored.message()?.headers.get(name).map(text),
        }
    }

    /// Whether it is compared as a time.
    pub(super) fn is_time(&self) -> bool {
        matches!(self, Self::FirstEnqueuedAt | Self::DeadAt)
    }

    /// Whether it is compared as a number.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Attempts)
    }

    /// A value that this field can equal.
    pub(super) fn check(&self, value: &str) -> Result<String, String> {
        match self {
            Self::Reason if DeadReason::from_stored(value).is_none() => {
                let known = DeadReason::ALL.map(DeadReason::as_str);
                Err(unknown("reason", value, &known))
            }
            Self::Id => crate::parse::message_id(value).map(|id| id.to_string()),
            Self::FirstEnqueuedAt | Self::DeadAt => time(value).map(|_| value.to_owned()),
            Self::Attempts => match value.trim().parse::<u64>() {
                Ok(number) => Ok(number.to_string()),
                Err(_) => Err(format!(
                    "\"{}\" is not a number to compare attempts with",
                    escape::cut(value, 40)
                )),
            },
            _ => Ok(value.to_owned()),
        }
    }
}

fn unknown(what: &str, given: &str, known: &[&str]) -> String {
    let hint = nearest(given, known.iter().copied()).map_or_else(
        || "known".to_owned(),
        |near| format!("did you mean \"{near}\"? Known"),
    );
    format!(
        "\"{}\" is not a {what}; {hint} are {}",
        escape::cut(given, 40),
        known.join(", ")
    )
}

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "id" => Self::Id,
            "kind" => Self::Kind,
            "reason" => Self::Reason,
            "error" => Self::Error,
            "label" => Self::Label,
            "group" => Self::Group,
            "attempts" => Self::Attempts,
            "first_enqueued_at" => Self::FirstEnqueuedAt,
            "dead_at" => Self::DeadAt,
            other => match other.strip_prefix("header.") {
                Some(name) if !name.is_empty() => Self::Header(name.to_owned()),
                _ => return Err(unknown("field", other, &NAMES)),
            },
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "id",
            Self::Kind => "kind",
            Self::Reason => "reason",
            Self::Error => "error",
            Self::Label => "label",
            Self::Group => "group",
            Self::Attempts => "attempts",
            Self::FirstEnqueuedAt => "first_enqueued_at",
            Self::DeadAt => "dead_at",
            Self::Header(name) => return write!(f, "header.{}", escape::cut(name, 40)),
        })
    }
}
