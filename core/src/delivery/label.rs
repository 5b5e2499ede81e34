//! Hierarchical labels of failures.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::NameError;

/// What went wrong, as dotted segments from general to special: `http.503`, `exec.exit.65`.
///
/// A clause that matches `http` takes every `http.…`; `http.5` does not take `http.503`, since
/// whole segments are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(Box<str>);

impl Label {
    /// The longest label in bytes.
    pub const BYTES_MAX: usize = 128;

    /// Keeps a label: dotted segments of letters, digits, `_` and `-`.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
        let text = text.as_ref();
        crate::message::name::check_label(text, Self::BYTES_MAX)?;
        Ok(Self(text.into()))
    }

    /// A label of text that may hold anything: what is not allowed becomes `_`.
    pub fn lossy(text: impl AsRef<str>) -> Self {
        let mut kept: String = text
            .as_ref()
            .chars()
            .take(Self::BYTES_MAX)
            .map(|c| {
                if c.is_ascii_alphanumeric() || "_-.".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        if kept.split('.').any(str::is_empty) {
            kept = kept
                .split('.')
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(".");
        }
        if kept.is_empty() {
            kept.push('_');
        }
        Self(kept.into())
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this label, used as a pattern, takes `other`.
    pub fn takes(&self, other: &Self) -> bool {
        other
            .0
            .strip_prefix(&*self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// How many segments it has: of two patterns that take a label, the longer one wins.
    pub fn segments(&self) -> usize {
        self.0.split('.').count()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compare_whole_segments() {
        let label = Label::new("http.503").unwrap();
        assert!(Label::new("http").unwrap().takes(&label));
        assert!(Label::new("http.503").unwrap().takes(&label));
        assert!(!Label::new("http.5").unwrap().takes(&label));
        assert!(!Label::new("http.503.x").unwrap().takes(&label));
    }

    #[test]
    fn labels_are_dotted_words_of_bounded_length() {
        for good in ["http", "http.503", "a_b-C.9", &"x".repeat(128)] {
            assert_eq!(Label::new(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a/b",
            "é",
            "a\n",
            &"x".repeat(129),
        ] {
            assert!(Label::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Label::new("exec.exit.65").unwrap().segments(), 3);
    }

    #[test]
    fn what_is_stored_as_a_label_is_checked_when_it_is_read() {
        let label = Label::new("http.503").unwrap();
        let text = serde_json::to_string(&label).unwrap();
        assert_eq!(text, "\"http.503\"");
        assert_eq!(serde_json::from_str::<Label>(&text).unwrap(), label);
        assert!(serde_json::from_str::<Label>("\"a..b\"").is_err());
    }

    #[test]
    fn lossy_always_gives_a_valid_label() {
        for text in ["", "..", "a b", "x..y.", "é"] {
            assert!(Label::new(Label::lossy(text).as_str()).is_ok(), "{text:?}");
        }
        assert_eq!(Label::lossy("exit code: 7").as_str(), "exit_code__7");
        assert_eq!(Label::lossy("a..b").as_str(), "a.b");
        assert_eq!(Label::lossy("x".repeat(500)).as_str().len(), 128);
    }
}
