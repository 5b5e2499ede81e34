//! The user's headers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Named text that travels with a message. It never steers the system: control data has
/// fields of its own in the stored form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    /// At most this many headers.
    pub const COUNT_MAX: usize = 64;
    /// A name has at most this many bytes.
    pub const NAME_BYTES_MAX: usize = 128;
    /// A value has at most this many bytes.
    pub const VALUE_BYTES_MAX: usize = 4096;
    /// All names and values together have at most this many bytes.
    pub const TOTAL_BYTES_MAX: usize = 32 * 1024;

    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a header; an earlier value of that name is replaced.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Names and values in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says what is wrong with these headers, if anything.
    pub fn check(&self) -> Result<(), String> {
        if self.len() > Self::COUNT_MAX {
            return Err(format!(
                "{} headers, at most {} are allowed",
                self.len(),
                Self::COUNT_MAX
            ));
        }
        let mut total = 0;
        for (name, value) in self.iter() {
            total += name.len() + value.len();
            if name.is_empty() || name.len() > Self::NAME_BYTES_MAX {
                return Err(format!(
                    "a header name has {} bytes, 1 to {} are allowed",
                    name.len(),
                    Self::NAME_BYTES_MAX
                ));
            }
            if name.chars().any(char::is_control) || value.contains(['\r', '\n', '\0']) {
                return Err(format!(
                    "header {name:?} holds a control character or a line break"
                ));
            }
            if value.len() > Self::VALUE_BYTES_MAX {
                return Err(format!(
                    "header {name:?} has {} bytes, at most {} are allowed",
                    value.len(),
                    Self::VALUE_BYTES_MAX
                ));
            }
        }
        if total > Self::TOTAL_BYTES_MAX {
            return Err(format!(
                "the headers have {total} bytes together, at most {} are allowed",
                Self::TOTAL_BYTES_MAX
            ));
        }
        Ok(())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, usize)]) -> Headers {
        let pairs = pairs.iter();
        pairs
            .map(|(name, bytes)| ((*name).to_owned(), "v".repeat(*bytes)))
            .collect()
    }

    /// A number of headers whose names and values have `bytes` bytes together, each.
    fn many(count: usize, bytes: usize) -> Headers {
        let names = (0..count).map(|number| format!("h{number:03}"));
        names.map(|name| (name, "v".repeat(bytes - 4))).collect()
    }

    #[test]
    fn bounds_are_met_and_not_passed() {
        assert!(many(64, 5).check().is_ok());
        assert!(many(65, 5).check().is_err());
        assert!(with(&[("a", 4096)]).check().is_ok());
        assert!(with(&[("a", 4097)]).check().is_err());
        assert!(with(&[(&"n".repeat(128), 1)]).check().is_ok());
        assert!(with(&[(&"n".repeat(129), 1)]).check().is_err());
        assert!(with(&[("", 1)]).check().is_err());
        assert!(many(32, 1024).check().is_ok());
        let error = many(33, 1024).check().unwrap_err();
        assert!(error.contains("33792 bytes together"), "{error}");
    }

    #[test]
    fn no_line_breaks_and_no_control_characters() {
        for (name, value) in [
            ("a\n", "x"),
            ("a\u{7f}", "x"),
            ("a", "x\r"),
            ("a", "\n"),
            ("a", "\0"),
        ] {
            let headers: Headers = [(name, value)].into_iter().collect();
            assert!(headers.check().is_err(), "{name:?}: {value:?}");
        }
        let headers: Headers = [("a b", "tab\there, é")].into_iter().collect();
        assert!(headers.check().is_ok());
        assert_eq!((headers.len(), headers.is_empty()), (1, false));
    }
}
