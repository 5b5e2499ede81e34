//! Validated names: what a queue, a kind, a group or a key may be called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {shown} is not valid: {reason}")]
pub struct NameError {
    what: &'static str,
    shown: String,
    reason: String,
}

impl NameError {
    fn new(what: &'static str, given: &str, reason: impl Into<String>) -> Self {
        // Input is echoed escaped and cut, so that a hostile name cannot forge a log line.
        let mut shown: String = given
            .chars()
            .take(80)
            .flat_map(char::escape_debug)
            .collect();
        if given.chars().nth(80).is_some() {
            shown.push('…');
        }
        Self {
            what,
            shown: format!("\"{shown}\""),
            reason: reason.into(),
        }
    }
}

/// Letters, digits, `_ . : -`, not starting with `.`, `:` or `-`.
fn check_identifier(what: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::new(what, text, "it is empty"));
    }
    if text.len() > max {
        return Err(NameError::new(
            what,
            text,
            format!("it has {} bytes, at most {max} are allowed", text.len()),
        ));
    }
    if text.starts_with(['.', ':', '-']) {
        return Err(NameError::new(
            what,
            text,
            "it must start with a letter, a digit or _",
        ));
    }
    match text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "_.:-".contains(*c)))
    {
        Some(bad) => Err(NameError::new(
            what,
            text,
            format!("{bad:?} is not allowed; use letters, digits, _ . : -"),
        )),
        None => Ok(()),
    }
}

/// Any text without control characters.
fn check_key(what: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::new(what, text, "it is empty"));
    }
    if text.len() > max {
        return Err(NameError::new(
            what,
            text,
            format!("it has {} bytes, at most {max} are allowed", text.len()),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(NameError::new(
            what,
            text,
            "control characters are not allowed",
        ));
    }
    Ok(())
}

/// Dotted segments of letters, digits, `_` and `-`; none empty.
pub(crate) fn check_label(text: &str, max: usize) -> Result<(), NameError> {
    if text.len() > max {
        return Err(NameError::new(
            "label",
            text,
            format!("it has {} bytes", text.len()),
        ));
    }
    let well_formed = text.split('.').all(|part| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    });
    if well_formed {
        return Ok(());
    }
    Err(NameError::new(
        "label",
        text,
        "it must be dotted segments of letters, digits, _ and -, such as http.503",
    ))
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The longest allowed name in bytes.
            pub const BYTES_MAX: usize = $max;

            /// Checks and keeps `text`.
            pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
                let text = text.as_ref();
                $check($what, text, $max)?;
                Ok(Self(text.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = NameError;
            fn try_from(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(
    /// The name of a queue: 1 to 255 bytes of letters, digits and `_ . : -`.
    QueueName,
    "queue name",
    255,
    check_identifier
);
name!(
    /// The stored name of a job type, chosen by hand and never from a type's name.
    JobKind,
    "kind",
    128,
    check_identifier
);
name!(
    /// The name of a route.
    RouteName,
    "route name",
    128,
    check_identifier
);
name!(
    /// The name of an exclusive lease, such as `intake:orders`.
    LeaseName,
    "lease name",
    255,
    check_identifier
);
name!(
    /// Messages of one group are worked one at a time and in order. Any text without
    /// control characters, 1 to 128 bytes.
    GroupName,
    "group",
    128,
    check_key
);
name!(
    /// A second message with the same key inside the window is a duplicate. Any text without
    /// control characters, 1 to 128 bytes.
    DedupKey,
    "dedup key",
    128,
    check_key
);

name!(
    /// The name of an aggregate: as that of a queue, at most 200 bytes, since the queue of its dead
    /// letters is named after it.
    AggregateName,
    "aggregate name",
    200,
    check_identifier
);
name!(
    /// The correlation key: parts with the same key go into the same epoch. Any text without
    /// control characters, 1 to 256 bytes.
    AggregateKey,
    "correlation key",
    256,
    check_key
);

impl Default for JobKind {
    /// `message`: the kind of what was enqueued without one.
    fn default() -> Self {
        Self("message".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_names_take_dots_and_refuse_what_shells_and_stores_read() {
        for good in ["a", "order.batches", "route.x", "A_1:b-c", &"q".repeat(255)] {
            assert!(QueueName::new(good).is_ok(), "{good}");
        }
        let bad = [
            "", " ", "a b", "/", "../x", "a,b", "*", ">", "{a}", "a\0", "a\n", "é", "\u{202e}",
            ".a", "-a",
        ];
        for bad in bad {
            assert!(QueueName::new(bad).is_err(), "{bad:?}");
        }
        assert!(QueueName::new("q".repeat(256)).is_err());
    }

    #[test]
    fn refusals_are_escaped_and_cut() {
        let text = QueueName::new("a\u{1b}[31m\n").unwrap_err().to_string();
        assert!(!text.contains('\u{1b}') && !text.contains('\n'), "{text}");
        let long = QueueName::new("q".repeat(4000)).unwrap_err().to_string();
        assert!(long.len() < 300, "{}", long.len());
    }

    #[test]
    fn groups_take_any_text_without_control_characters() {
        assert!(GroupName::new("Kunde 7/é").is_ok());
        for bad in ["", "a\0b", "a\nb", &"g".repeat(129)] {
            assert!(GroupName::new(bad).is_err(), "{bad:?}");
        }
    }
}
