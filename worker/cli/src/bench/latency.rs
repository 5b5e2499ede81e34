//! Latencies in an HDR histogram.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::error::{CliError, Result};
use crate::exit::Exit;

/// Latencies from 1 µs to an hour, to three digits.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

const HOUR_MICROS: u64 = 3_600_000_000;

impl Latencies {
    /// None yet.
    pub(crate) fn new() -> Result<Self> {
        Histogram::new_with_bounds(1, HOUR_MICROS, 3)
            .map(Self)
            .map_err(|error| CliError::new(Exit::Failed, format!("no histogram: {error}")))
    }

    /// Adds one.
    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(HOUR_MICROS);
        self.0.saturating_record(micros.max(1));
    }

    /// 99 of 100 are at most so many µs.
    pub(crate) fn p99_micros(&self) -> u64 {
        self.0.value_at_quantile(0.99)
    }

    /// Its quantiles, under a name.
    pub(crate) fn summary(&self, name: impl Into<String>) -> LatencySummary {
        let millis = |micros: u64| micros as f64 / 1000.0;
        let at = |quantile| millis(self.0.value_at_quantile(quantile));
        LatencySummary {
            name: name.into(),
            count: self.0.len(),
            p50_ms: at(0.50),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: millis(self.0.max()),
            goal_p95_ms: None,
        }
    }
}

/// The quantiles of some latencies, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LatencySummary {
    /// From what to what.
    pub name: String,
    /// How many there are.
    pub count: u64,
    /// Half of them are at most this.
    pub p50_ms: f64,
    /// 95 of 100 are at most this.
    pub p95_ms: f64,
    /// 99 of 100 are at most this.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// Where the 95th should stay below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal_p95_ms: Option<f64>,
}

impl LatencySummary {
    /// Sets where the 95th should stay below.
    #[must_use]
    pub(crate) fn goal(mut self, p95_ms: f64) -> Self {
        self.goal_p95_ms = Some(p95_ms);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut latencies = Latencies::new().unwrap();
        for millis in 1..=100 {
            latencies.record(Duration::from_millis(millis));
        }
        let summary = latencies.summary("x");
        assert_eq!(summary.count, 100);
        for (got, want) in [
            (summary.p50_ms, 50.0),
            (summary.p95_ms, 95.0),
            (summary.p99_ms, 99.0),
            (summary.max_ms, 100.0),
        ] {
            assert!((got / want - 1.0).abs() < 0.002, "{got} {want}");
        }
    }
}
