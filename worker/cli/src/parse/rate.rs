//! Rates: `20/s`, `100/m`.

use std::str::FromStr;
use std::time::Duration;

use crate::output::escape;

/// A rate per second, minute or hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    count: u32,
    per: Duration,
}

impl Rate {
    /// How many go in one step: about ten steps a second, one at least.
    pub(crate) fn step(self) -> u32 {
        let in_tenth = f64::from(self.count) / self.per.as_secs_f64() / 10.0;
        (in_tenth as u32).max(1)
    }

    /// How long `count` of them take.
    pub(crate) fn time_for(self, count: u64) -> Duration {
        self.per
            .mul_f64(count as f64 / f64::from(self.count))
            .min(Duration::from_secs(86_400 * 366))
    }
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "\"{}\" is not a rate; write it as 20/s, 100/m or 5000/h",
                escape::cut(text, 40)
            )
        };
        let (count, unit) = text.split_once('/').ok_or_else(refused)?;
        let per = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return Err(refused()),
        };
        let count = count.trim().parse::<u32>().map_err(|_| refused())?;
        if !(1..=1_000_000).contains(&count) {
            return Err(format!(
                "\"{}\" is out of range; a rate counts 1 to 1000000",
                escape::cut(text, 40)
            ));
        }
        Ok(Self {
            count,
            per: Duration::from_secs(per),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_unit() {
        let rate: Rate = "20/s".parse().unwrap();
        assert_eq!(rate.step(), 2);
        assert_eq!(rate.time_for(40), Duration::from_secs(2));
        let slow: Rate = "6/m".parse().unwrap();
        assert_eq!(
            (slow.step(), slow.time_for(1)),
            (1, Duration::from_secs(10))
        );
        for bad in ["", "20", "0/s", "-1/s", "20/d", "x/s", "9999999/s"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
