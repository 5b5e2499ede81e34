//! Metrics of this process as Prometheus reads them.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;

use super::described;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// From a millisecond to the default job timeout.
const SECONDS: [f64; 14] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0, 1800.0,
];
/// How often old samples of histograms are folded together.
const UPKEEP: Duration = Duration::from_secs(5);

/// A gauge that nobody sets for this long is dropped.
const GAUGE_IDLE_MAX: Duration = Duration::from_secs(60);

fn tell_version() {
    metrics::gauge!("longshore_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// The metrics that the whole process counts.
#[derive(Clone, Debug)]
pub(crate) struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts counting; before this, what libraries count goes nowhere.
    pub(crate) fn install() -> Result<Self> {
        let failed =
            |error| CliError::new(Exit::Failed, format!("metrics cannot be started: {error}"));
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
            // A queue that is gone leaves no series behind.
            .map(|builder| builder.idle_timeout(MetricKindMask::GAUGE, Some(GAUGE_IDLE_MAX)))
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(failed)?;
        described::describe();
        tell_version();
        Ok(Self(handle))
    }

    /// The text that a scrape gets.
    pub(crate) fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps histograms small, forever.
    pub(crate) async fn upkeep(self) {
        let mut beat = tokio::time::interval(UPKEEP);
        loop {
            beat.tick().await;
            tell_version();
            self.0.run_upkeep();
        }
    }
}
