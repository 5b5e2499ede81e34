//! A bound in time: a point, or how long ago.

use std::str::FromStr;
use std::time::Duration;

use longshore::core::Timestamp;

use super::{span, time};

/// `2026-12-24T18:00:00Z`, or `2h`: the time two hours ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeOrAge {
    /// At this time.
    At(Timestamp),
    /// This long before now.
    Ago(Duration),
}

impl TimeOrAge {
    /// The point in time meant at `now`.
    pub(crate) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => {
                let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_millis(now.as_millis().saturating_sub(millis))
            }
        }
    }
}

impl FromStr for TimeOrAge {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        time(text)
            .map(Self::At)
            .or_else(|error| span(text).map(Self::Ago).map_err(|_| error))
            .map_err(|error| format!("{error}, or as an age such as 2h"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_count_back_from_now() {
        let now = Timestamp::from_millis(10_000);
        let bound: TimeOrAge = "4s".parse().unwrap();
        assert_eq!(bound.resolve(now), Timestamp::from_millis(6_000));
        let bound: TimeOrAge = "1970-01-01T00:00:01Z".parse().unwrap();
        assert_eq!(bound.resolve(now), Timestamp::from_millis(1_000));
        assert!("soon".parse::<TimeOrAge>().is_err());
    }
}
