//! What keeps the messages of a queue from being worked.

use std::num::NonZeroU32;

use longshore_core::{Finding, Result};

use crate::store::RedisStore;

/// Maximum queues that one check looks at, so that it does not take minutes.
const QUEUES_MAX: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

impl RedisStore {
    /// What is held up, queue by queue.
    pub(crate) async fn stuck(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for queue in self.page_queues(None, QUEUES_MAX).await?.items {
            if let Some(stats) = self.stats_of(&queue).await? {
                findings.extend(stats.stuck(&queue));
            }
        }
        Ok(findings)
    }
}
