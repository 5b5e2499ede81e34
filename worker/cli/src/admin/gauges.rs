//! Depths of queues as metrics.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use longshore::Connection;
use longshore::core::{Cursor, LeaseName, NamedLease, QueueName, QueueStats, Result};

/// How often the depths are read.
const PERIOD: Duration = Duration::from_secs(10);
/// How long the duty stays with a worker that fell silent.
const DUTY: Duration = Duration::from_secs(30);
/// At most this many queues have series of their own: each costs the monitoring that scrapes and
/// keeps them.
const SHOWN_MAX: usize = 300;
/// At most this many are read in one period; where there are more they take turns.
const READ_MAX: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");

/// Reports the depths of queues, forever: those of this worker, and of the others the ones with
/// the most messages; the rest is summed up. One worker of the fleet has the duty: were all to
/// report, five workers would sum up to five times the truth.
pub(crate) async fn report_queues(
    connection: Connection,
    holder: String,
    own: BTreeSet<QueueName>,
) {
    let Ok(name) = LeaseName::new("duty:queue-metrics") else {
        return;
    };
    let mut beat = tokio::time::interval(PERIOD);
    let mut shown: BTreeSet<QueueName> = BTreeSet::new();
    let mut census = Census::default();
    loop {
        beat.tick().await;
        let has_duty = match has_duty(&connection, &name, &holder).await {
            Ok(has_duty) => has_duty,
            Err(error) => {
                tracing::debug!(%error, "depths of queues could not be read");
                continue;
            }
        };
        let now = if has_duty {
            if let Err(error) = census.read_on(&connection, &own).await {
                tracing::debug!(%error, "depths of queues could not be read");
                continue;
            }
            census.report(&own)
        } else {
            BTreeSet::new()
        };
        // A gauge keeps its value until it is dropped: what is no longer reported must not stay.
        for gone in shown.difference(&now) {
            set(gone.as_str(), &QueueStats::default(), f64::NAN);
        }
        shown = now;
    }
}

async fn has_duty(connection: &Connection, name: &LeaseName, holder: &str) -> Result<bool> {
    let leases = &connection.backend().leases;
    let duty: Option<NamedLease> = leases.acquire(name, holder, DUTY).await?;
    Ok(duty.is_some())
}

/// What is known of all queues.
#[derive(Debug, Default)]
struct Census {
    known: BTreeMap<QueueName, QueueStats>,
    /// Where to read on.
    after: Option<Cursor>,
    /// What was met since the list began.
    met: BTreeSet<QueueName>,
}

impl Census {
    /// Reads a part of the list, and the worker's own queues.
    async fn read_on(&mut self, connection: &Connection, own: &BTreeSet<QueueName>) -> Result<()> {
        let admin = &connection.backend().admin;
        let page = admin.queues(self.after.as_ref(), READ_MAX).await?;
        let others = page.items.into_iter().filter(|queue| !own.contains(queue));
        for queue in own.iter().cloned().chain(others) {
            if let Some(stats) = admin.stats(&queue).await? {
                self.known.insert(queue.clone(), stats);
                self.met.insert(queue);
            }
        }
        self.after = page.next;
        if self.after.is_none() {
            // The whole list was read: what was not on it is gone.
            let met = std::mem::take(&mut self.met);
            self.known.retain(|queue, _| met.contains(queue));
        }
        Ok(())
    }

    /// Sets the gauges; answers which queues have series of their own.
    fn report(&self, own: &BTreeSet<QueueName>) -> BTreeSet<QueueName> {
        let mut by_size: Vec<_> = self.known.iter().collect();
        by_size.sort_by_key(|(queue, stats)| {
            (!own.contains(*queue), Reverse(stats.live() + stats.dead))
        });
        let room = SHOWN_MAX.max(own.len()).min(by_size.len());
        let (shown, others) = by_size.split_at(room);
        for (queue, stats) in shown {
            set(queue.as_str(), stats, 1.0);
        }
        if !others.is_empty() {
            set(OTHERS, &sum(others.iter().map(|(_, stats)| *stats)), 1.0);
        }
        metrics::gauge!("longshore_queues_left_out").set(others.len() as f64);
        shown.iter().map(|(queue, _)| (*queue).clone()).collect()
    }
}

/// The label of what has no series of its own. No queue can be called so.
const OTHERS: &str = "(others)";

fn sum<'a>(all: impl Iterator<Item = &'a QueueStats>) -> QueueStats {
    let mut sum = QueueStats::default();
    for stats in all {
        sum.waiting += stats.waiting;
        sum.delayed += stats.delayed;
        sum.leased += stats.leased;
        sum.dead += stats.dead;
        sum.oldest_age = sum.oldest_age.max(stats.oldest_age);
    }
    sum
}

/// Sets the gauges of a queue; `factor` is 1, or NaN to take them back.
fn set(queue: &str, stats: &QueueStats, factor: f64) {
    let counts = [
        ("waiting", stats.waiting),
        ("delayed", stats.delayed),
        ("leased", stats.leased),
        ("dead", stats.dead),
    ];
    for (state, count) in counts {
        let labels = [("queue", queue.to_owned()), ("state", state.to_owned())];
        metrics::gauge!("longshore_queue_messages", &labels).set(count as f64 * factor);
    }
    let oldest = stats.oldest_age.unwrap_or_default().as_secs_f64();
    metrics::gauge!("longshore_queue_oldest_age_seconds", "queue" => queue.to_owned())
        .set(oldest * factor);
    let paused = f64::from(u8::from(stats.paused.is_some()));
    metrics::gauge!("longshore_queue_paused", "queue" => queue.to_owned()).set(paused * factor);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_queues_and_the_largest_are_shown_and_the_rest_is_summed_up() {
        let mut census = Census::default();
        for number in 0..400_u64 {
            let mut stats = QueueStats::default();
            stats.waiting = number;
            let name = QueueName::new(format!("q{number:03}")).unwrap();
            census.known.insert(name, stats);
        }
        let own = BTreeSet::from([QueueName::new("q000").unwrap()]);
        let shown = census.report(&own);
        assert_eq!(shown.len(), SHOWN_MAX);
        assert!(shown.contains(&QueueName::new("q000").unwrap()));
        assert!(shown.contains(&QueueName::new("q399").unwrap()));
        assert!(!shown.contains(&QueueName::new("q001").unwrap()));
    }
}
