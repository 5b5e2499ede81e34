//! `--where` of `aggregates`: which epochs are meant.

use std::cmp::Ordering;
use std::str::FromStr;
use std::time::Duration;

use longshore::core::{EpochInfo, EpochState, Timestamp, nearest};

use crate::output::escape;
use crate::parse::Span;

/// One condition on an epoch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EpochCondition {
    Equal(Word, String),
    Contains(Word, String),
    Number(Number, Ordering, u64),
    Age(Ordering, Duration),
}

/// Fields that are text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Word {
    Key,
    State,
    By,
}

/// Fields that are numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Parts,
    Bytes,
}

const FIELDS: [&str; 6] = ["key", "state", "by", "parts", "bytes", "age"];

impl EpochCondition {
    /// Whether an epoch matches, where the clock shows `now`.
    pub(crate) fn takes(&self, epoch: &EpochInfo, now: Timestamp) -> bool {
        match self {
            Self::Equal(field, wanted) => field.of(epoch) == wanted,
            Self::Contains(field, wanted) => field.of(epoch).to_lowercase().contains(wanted),
            Self::Number(field, order, bound) => field.of(epoch).cmp(bound) == *order,
            Self::Age(order, bound) => now.since(epoch.opened_at).cmp(bound) == *order,
        }
    }
}

impl Word {
    fn of(self, epoch: &EpochInfo) -> &str {
        match (self, &epoch.state) {
            (Self::Key, _) => epoch.key.as_str(),
            (Self::State, state) => state_word(state),
            (Self::By, EpochState::Closed { by, .. }) => by.as_str(),
            (Self::By, _) => "",
        }
    }
}

impl Number {
    fn of(self, epoch: &EpochInfo) -> u64 {
        match self {
            Self::Parts => u64::from(epoch.parts),
            Self::Bytes => epoch.bytes,
        }
    }
}

/// The word for where an epoch is in its life.
pub(crate) fn state_word(state: &EpochState) -> &'static str {
    match state {
        EpochState::Open { .. } => "open",
        _ => "closed",
    }
}

impl FromStr for EpochCondition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(at) = text.find(['=', '~', '<', '>']) else {
            return Err(format!(
                "\"{}\" has no = ~ < or >; write it as state=open or age>1h",
                escape::cut(text, 40)
            ));
        };
        let (field, rest) = text.split_at(at);
        let (operator, value) = rest.split_at(1);
        let (field, order) = (
            field.trim(),
            match operator {
                "<" => Some(Ordering::Less),
                ">" => Some(Ordering::Greater),
                "=" => Some(Ordering::Equal),
                _ => None,
            },
        );
        let word = match field {
            "key" => Some(Word::Key),
            "state" => Some(Word::State),
            "by" => Some(Word::By),
            _ => None,
        };
        match (word, field, order) {
            (Some(word), _, Some(Ordering::Equal)) => Ok(Self::Equal(word, value.to_owned())),
            (Some(word), _, None) => Ok(Self::Contains(word, value.to_lowercase())),
            (Some(_), _, _) => Err(format!(
                "{field} has no order; use {field}=VALUE or {field}~TEXT"
            )),
            (None, "age", Some(order)) => {
                let span: Span = value.trim().parse()?;
                Ok(Self::Age(order, span.0))
            }
            (None, "parts", Some(order)) => Ok(Self::Number(Number::Parts, order, number(value)?)),
            (None, "bytes", Some(order)) => Ok(Self::Number(Number::Bytes, order, number(value)?)),
            (None, "parts" | "bytes" | "age", None) => {
                Err(format!("{field} is no text; use = < or >"))
            }
            _ => Err(unknown(field)),
        }
    }
}

fn number(value: &str) -> Result<u64, String> {
    let number = value.trim().parse();
    number.map_err(|_| format!("\"{}\" is not a number", escape::cut(value, 40)))
}

fn unknown(field: &str) -> String {
    let shown = escape::cut(field, 40);
    match nearest(field, FIELDS) {
        Some(near) => format!("an epoch has no field \"{shown}\"; did you mean {near}?"),
        None => format!(
            "an epoch has no field \"{shown}\"; there are {}",
            FIELDS.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_wrong_ones_are_told() {
        assert_eq!(
            "parts>3".parse(),
            Ok(EpochCondition::Number(Number::Parts, Ordering::Greater, 3))
        );
        assert_eq!(
            "age>1h".parse(),
            Ok(EpochCondition::Age(
                Ordering::Greater,
                Duration::from_secs(3600)
            ))
        );
        for (bad, said) in [
            ("key", "has no ="),
            ("kex=1", "did you mean key?"),
            ("key>1", "has no order"),
            ("parts~3", "is no text"),
            ("parts>x", "is not a number"),
            ("age>soon", ""),
        ] {
            let error = bad.parse::<EpochCondition>().unwrap_err();
            assert!(error.contains(said), "{bad}: {error}");
        }
    }
}
