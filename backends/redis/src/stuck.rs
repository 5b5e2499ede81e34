//! What keeps the messages of a queue from being worked.

use std::num::NonZeroU32;

use longshore_core::{Finding, QueueName, QueueStats, Result, Severity};

use crate::store::RedisStore;

/// So many queues are looked at: a doctor is not asked to read for minutes.
const QUEUES_MAX: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

impl RedisStore {
    /// What is held up, queue by queue.
    pub(crate) async fn stuck(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for queue in self.page_queues(None, QUEUES_MAX).await?.items {
            if let Some(stats) = self.stats_of(&queue).await? {
                findings.extend(of_queue(&queue, &stats));
            }
        }
        Ok(findings)
    }
}

fn of_queue(name: &QueueName, stats: &QueueStats) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(pause) = &stats.paused {
        found.push((
            format!("paused by {}: {}", pause.author, pause.reason),
            format!("longshore resume {name}"),
        ));
    }
    if let Some(mark) = &stats.moving {
        found.push((
            format!("being moved to {}", mark.to),
            "let the move end, or run it again".to_owned(),
        ));
    }
    if stats.parked > 0 {
        found.push((
            format!("{} dead letters hold their groups", stats.parked),
            format!("longshore dead redrive {name} ID, or discard"),
        ));
    }
    if stats.set_aside > 0 {
        found.push((
            format!("{} messages are of a newer version", stats.set_aside),
            "upgrade the workers of this queue".to_owned(),
        ));
    }
    found
        .into_iter()
        .map(|(what, fix)| Finding::new(Severity::Warning, format!("queue {name}"), what).fix(fix))
        .collect()
}
