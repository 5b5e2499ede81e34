//! Points in time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time in UTC milliseconds since 1970, as every store keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first millisecond of 1970.
    pub const EPOCH: Self = Self(0);
    /// The last millisecond of the year 9999: later times are no due times.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// From UTC milliseconds since 1970, kept between [`Self::EPOCH`] and [`Self::MAX`].
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::EPOCH.0, Self::MAX.0))
    }

    /// UTC milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// This time plus `span`, never past [`Self::MAX`].
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}
