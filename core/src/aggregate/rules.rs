//! What completes an epoch, and what happens to parts that come too late or are too many.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Result, StoreError, StoreErrorKind, Timestamp};

/// The version of the stored form that this build writes.
const VERSION: u8 = 1;

/// The rules of an aggregate. Those that came with the part that opened an epoch hold for all of
/// it; new rules govern the next epoch.
///
/// An epoch completes by the first rule that is met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AggregateRules {
    pub(crate) version: u8,
    /// Complete with this many parts.
    pub size: Option<u32>,
    /// Complete once the bodies have at least this many bytes.
    pub bytes: Option<u64>,
    /// Complete this many milliseconds after the last part.
    pub idle_ms: Option<u64>,
    /// Complete this many milliseconds after the first part.
    pub at_most_ms: Option<u64>,
    /// Complete at the next multiple of this many milliseconds since 1970.
    pub interval_ms: Option<u64>,
    /// Complete once this is true of the parts so far. The store only keeps it: workers judge.
    pub predicate: Option<String>,
    /// Whether parts may say that they are the last. Default false.
    pub closing: bool,
    /// What becomes of a part whose key was closed lately. Default [`LateParts::Open`].
    pub late: LateParts,
    /// How many milliseconds a closed key and the ids of its parts are remembered. Default 10 min.
    pub remember_ms: u64,
    /// No epoch has more parts. Default 10,000.
    pub parts_max: u32,
    /// No epoch has more bytes of bodies. Default 4 MiB, or what the store takes if that is less.
    pub bytes_max: Option<u64>,
    /// What becomes of the part that does not fit any more. Default [`WhenFull::Close`].
    pub full: WhenFull,
    /// Where a key is collected, on a store in several data centres. Default [`Home::Hash`].
    pub home: Home,
}

/// Where a key is collected, on a store in several data centres; elsewhere it means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Home {
    /// In one data centre, which its hash decides: one message a key and epoch.
    #[default]
    Hash,
    /// Where its parts come: one message a key, epoch and data centre.
    Local,
}

/// What becomes of a part whose key was closed lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LateParts {
    /// It opens the next epoch.
    #[default]
    Open,
    /// It is dropped and counted.
    Drop,
    /// It goes to the dead letters of the aggregate.
    Dead,
}

/// What becomes of a part that does not fit into the open epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WhenFull {
    /// The epoch closes without it, and it opens the next one.
    #[default]
    Close,
    /// It goes to the dead letters of the aggregate.
    Refuse,
}

impl Default for AggregateRules {
    fn default() -> Self {
        Self {
            version: VERSION,
            size: None,
            bytes: None,
            idle_ms: None,
            at_most_ms: None,
            interval_ms: None,
            predicate: None,
            closing: false,
            late: LateParts::default(),
            remember_ms: 600_000,
            parts_max: 10_000,
            bytes_max: None,
            full: WhenFull::default(),
            home: Home::default(),
        }
    }
}

impl AggregateRules {
    /// The greatest `parts_max`: an epoch is closed, read and forgotten in single steps of the store.
    pub const PARTS_MAX: u32 = 100_000;
    /// The longest predicate in bytes.
    pub const PREDICATE_BYTES_MAX: usize = 4096;

    /// `bytes_max` where the rules do not say it and the store takes so many.
    pub const BYTES_MAX_DEFAULT: u64 = 4 * 1024 * 1024;

    /// No epoch has more bytes of bodies.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max.unwrap_or(Self::BYTES_MAX_DEFAULT)
    }

    /// How long a closed key and the ids of its parts are remembered.
    pub fn remember(&self) -> Duration {
        Duration::from_millis(self.remember_ms)
    }

    /// Says why these rules make no sense, if they do not.
    pub fn check(&self) -> std::result::Result<(), String> {
        if !self.completes() {
            return Err(
                "nothing would ever complete it; name size, bytes, idle, at_most, interval, a \
                 predicate or a closing part"
                    .to_owned(),
            );
        }
        if let Some(name) = self.zero() {
            return Err(format!("{name} is zero; leave it out or name more"));
        }
        let (parts, bytes) = (self.parts_max, self.bytes_max());
        if parts > Self::PARTS_MAX {
            let most = Self::PARTS_MAX;
            return Err(format!("parts_max is {parts}, at most {most} are allowed"));
        }
        if self.size.is_some_and(|size| size > parts) {
            return Err(format!("size is more than parts_max, which is {parts}"));
        }
        if self.bytes.is_some_and(|wanted| wanted > bytes) {
            return Err(format!("bytes is more than bytes_max, which is {bytes}"));
        }
        match &self.predicate {
            Some(text) if text.len() > Self::PREDICATE_BYTES_MAX => Err(format!(
                "the predicate has {} bytes, at most {} are allowed",
                text.len(),
                Self::PREDICATE_BYTES_MAX
            )),
            _ => Ok(()),
        }
    }

    /// Whether anything can complete an epoch.
    fn completes(&self) -> bool {
        self.size.is_some()
            || self.bytes.is_some()
            || self.idle_ms.is_some()
            || self.at_most_ms.is_some()
            || self.interval_ms.is_some()
            || self.predicate.is_some()
            || self.closing
    }

    /// The name of a number that is zero and must not be.
    fn zero(&self) -> Option<&'static str> {
        let numbers = [
            ("size", self.size.map(u64::from)),
            ("bytes", self.bytes),
            ("idle", self.idle_ms),
            ("at_most", self.at_most_ms),
            ("interval", self.interval_ms),
            ("parts_max", Some(u64::from(self.parts_max))),
            ("bytes_max", self.bytes_max),
        ];
        let zero = numbers.into_iter().find(|(_, value)| *value == Some(0));
        zero.map(|(name, _)| name)
    }

    /// The stored form.
    pub fn encode(&self) -> String {
        // Numbers, flags and text: there is nothing that JSON could refuse.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    ///
    /// `Unsupported` of a newer version, `Corrupt` of what is no form of this.
    pub fn decode(text: &str) -> Result<Self> {
        let corrupt = |reason: String| {
            let said = format!("stored rules of an aggregate cannot be read: {reason}");
            StoreError::new(StoreErrorKind::Corrupt, "aggregate", said)
        };
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| corrupt(error.to_string()))?;
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        match version {
            Some(version) if version > u64::from(VERSION) => Err(StoreError::unsupported(
                "aggregate",
                format!(
                    "stored rules of an aggregate have version {version}, this build knows up to \
                     {VERSION}; use a newer longshore"
                ),
            )),
            _ => serde_json::from_value(value).map_err(|error| corrupt(error.to_string())),
        }
    }

    /// The next multiple of the interval after an epoch was opened.
    pub(super) fn interval_end(&self, opened: Timestamp) -> Option<Timestamp> {
        let interval = i64::try_from(self.interval_ms?).unwrap_or(i64::MAX);
        let past = opened.as_millis().rem_euclid(interval.max(1));
        Some(Timestamp::from_millis(
            opened
                .as_millis()
                .saturating_add(interval.saturating_sub(past)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_complete_nothing_or_exceed_their_bounds_are_refused() {
        let none = AggregateRules::default();
        assert!(none.check().unwrap_err().contains("ever complete"));
        let size = |size| AggregateRules {
            size: Some(size),
            ..AggregateRules::default()
        };
        assert!(size(1).check().is_ok() && size(10_000).check().is_ok());
        assert!(size(0).check().unwrap_err().contains("size is zero"));
        assert!(size(10_001).check().unwrap_err().contains("parts_max"));
        let many = AggregateRules {
            parts_max: 100_001,
            ..size(1)
        };
        assert!(many.check().unwrap_err().contains("at most 100000"));
        let closing = AggregateRules {
            closing: true,
            ..AggregateRules::default()
        };
        assert!(closing.check().is_ok());
        let long = AggregateRules {
            predicate: Some("x".repeat(4097)),
            ..AggregateRules::default()
        };
        assert!(long.check().unwrap_err().contains("4097 bytes"));
    }

    #[test]
    fn the_stored_form_is_read_back_and_a_newer_one_is_refused() {
        let rules = AggregateRules {
            idle_ms: Some(5000),
            late: LateParts::Dead,
            full: WhenFull::Refuse,
            ..AggregateRules::default()
        };
        // Rows of earlier builds hold it: this text must stay readable.
        let text = r#"{"version":1,"size":null,"bytes":null,"idle_ms":5000,"at_most_ms":null,"interval_ms":null,"predicate":null,"closing":false,"late":"dead","remember_ms":600000,"parts_max":10000,"bytes_max":null,"full":"refuse","home":"hash"}"#;
        assert_eq!(rules.encode(), text);
        assert_eq!(AggregateRules::decode(text).unwrap(), rules);
        let newer = text.replace("\"version\":1", "\"version\":2");
        let refused = AggregateRules::decode(&newer).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unsupported);
        for bad in ["", "{}", "[]", "{\"version\":1}"] {
            let refused = AggregateRules::decode(bad).unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::Corrupt, "{bad}");
        }
    }

    #[test]
    fn an_interval_ends_at_the_next_multiple_and_never_at_once() {
        let rules = AggregateRules {
            interval_ms: Some(60_000),
            ..AggregateRules::default()
        };
        for (opened, end) in [
            (0, 60_000),
            (1, 60_000),
            (59_999, 60_000),
            (60_000, 120_000),
        ] {
            let end = Some(Timestamp::from_millis(end));
            assert_eq!(rules.interval_end(Timestamp::from_millis(opened)), end);
        }
    }
}
