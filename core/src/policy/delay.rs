//! How long a retry waits.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ErrorPolicy;

/// How delays are spread, so that what failed together does not come back together. Always of
/// the unjittered delay: jitter never compounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// Up to this part less or more: 0.15 gives 0.85 to 1.15 of the delay.
    Fraction(f64),
    /// Anything from nothing to the delay.
    Full,
}

/// Fixed delays: from retry k on, wait this long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelayTable(BTreeMap<u32, Duration>);

impl DelayTable {
    /// A table of (retry, delay) pairs. Refused: none, retry 0, a retry twice or out of order.
    pub fn new(pairs: impl IntoIterator<Item = (u32, Duration)>) -> Result<Self, String> {
        let mut table = BTreeMap::new();
        for (retry, delay) in pairs {
            if retry == 0 {
                return Err("retries are counted from 1".into());
            }
            if table
                .last_key_value()
                .is_some_and(|(last, _)| *last >= retry)
            {
                return Err(format!(
                    "retry {retry} is out of order; list them ascending"
                ));
            }
            table.insert(retry, delay);
        }
        if table.is_empty() {
            return Err("the table of delays is empty".into());
        }
        Ok(Self(table))
    }

    fn at(&self, retry: u32) -> Option<Duration> {
        self.0.range(..=retry).next_back().map(|(_, delay)| *delay)
    }
}

impl ErrorPolicy {
    /// The delay before retry `n` (from 1), jitter aside.
    pub fn base(&self, n: u32) -> Duration {
        if let Some(delay) = self.delays.as_ref().and_then(|table| table.at(n)) {
            return delay;
        }
        // In floats, where a huge power is infinite and the cap takes it: no shift can overflow.
        let factor = self
            .multiplier
            .powi(i32::try_from(n.saturating_sub(1)).unwrap_or(i32::MAX));
        let seconds = (self.delay.as_secs_f64() * factor).min(self.delay_max.as_secs_f64());
        Duration::try_from_secs_f64(seconds).unwrap_or(self.delay_max)
    }

    /// The delay before retry `n`; `random` is from 0 to 1 and spreads it.
    pub fn delay_for(&self, n: u32, random: f64) -> Duration {
        let base = self.base(n);
        let random = random.clamp(0.0, 1.0);
        match self.jitter {
            Jitter::Full => base.mul_f64(random),
            Jitter::Fraction(part) => base.mul_f64((1.0 + part * (2.0 * random - 1.0)).max(0.0)),
        }
    }
}
