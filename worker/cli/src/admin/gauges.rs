//! Depths of queues as metrics.

use std::num::NonZeroU32;
use std::time::Duration;

use longshore::Connection;
use longshore::core::{LeaseName, NamedLease, QueueName, QueueStats, Result};

/// How often the depths are read.
const PERIOD: Duration = Duration::from_secs(10);
/// How long the duty stays with a worker that fell silent.
const DUTY: Duration = Duration::from_secs(30);
/// At most this many queues are reported.
const QUEUES_MAX: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");

/// Reports the depths of all queues, for ever. One worker of the fleet has the duty: were all to
/// report, five workers would sum up to five times the truth.
pub(crate) async fn report_queues(connection: Connection, holder: String) {
    let Ok(name) = LeaseName::new("duty:queue-metrics") else {
        return;
    };
    let mut beat = tokio::time::interval(PERIOD);
    let mut known: Vec<QueueName> = Vec::new();
    loop {
        beat.tick().await;
        match report(&connection, &name, &holder).await {
            Ok(now) => {
                // A gauge keeps its value: what this worker no longer reports must not stay.
                for gone in known.iter().filter(|queue| !now.contains(queue)) {
                    set(gone, &QueueStats::default(), f64::NAN);
                }
                known = now;
            }
            Err(error) => tracing::debug!(%error, "depths of queues could not be read"),
        }
    }
}

/// Sets the gauges if this worker has the duty; answers which queues it reported.
async fn report(connection: &Connection, name: &LeaseName, holder: &str) -> Result<Vec<QueueName>> {
    let backend = connection.backend();
    let duty: Option<NamedLease> = backend.leases.acquire(name, holder, DUTY).await?;
    if duty.is_none() {
        return Ok(Vec::new());
    }
    let queues = backend.admin.queues(None, QUEUES_MAX).await?.items;
    let mut reported = Vec::with_capacity(queues.len());
    for queue in queues {
        if let Some(stats) = backend.admin.stats(&queue).await? {
            set(&queue, &stats, 1.0);
            reported.push(queue);
        }
    }
    Ok(reported)
}

/// Sets the gauges of a queue; `factor` is 1, or NaN to take them back.
fn set(queue: &QueueName, stats: &QueueStats, factor: f64) {
    let counts = [
        ("waiting", stats.waiting),
        ("delayed", stats.delayed),
        ("leased", stats.leased),
        ("dead", stats.dead),
    ];
    for (state, count) in counts {
        let labels = [("queue", queue.to_string()), ("state", state.to_owned())];
        metrics::gauge!("longshore_queue_messages", &labels).set(count as f64 * factor);
    }
    let oldest = stats.oldest_age.unwrap_or_default().as_secs_f64();
    metrics::gauge!("longshore_queue_oldest_age_seconds", "queue" => queue.to_string())
        .set(oldest * factor);
}
