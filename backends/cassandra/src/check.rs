//! What a check of the store finds.

pub(crate) mod backlog;
pub(crate) mod census;
pub(crate) mod fsck;
pub(crate) mod nodes;
pub(crate) mod stray;
pub(crate) mod tables;

use std::num::NonZeroU32;

use longshore_core::{Finding, Result};

use crate::check::backlog::Backlog;
use crate::store::CassandraStore;

/// Maximum queues that one check looks at, so that it does not take minutes.
const QUEUES_MAX: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);

impl CassandraStore {
    /// What is right and what is not.
    pub(crate) async fn findings(&self) -> Result<Vec<Finding>> {
        let link = self.link();
        let nodes = nodes::ask(link).await;
        let mut findings = vec![
            nodes::answering(link, &nodes),
            nodes::durability(link, &nodes),
            nodes::clocks(&nodes),
        ];
        findings.extend(tables::settings(link).await);
        findings.push(tables::repairs(link).await);
        let mut backlog = Backlog::default();
        let page = self.inner.page_queues(None, QUEUES_MAX).await?;
        let mut stuck = Vec::new();
        for queue in &page.items {
            let def = self.inner.catalog.get(queue).await?;
            let stats = self.inner.stats(queue).await?;
            if let (Some(def), Some(stats)) = (def, stats) {
                let rows = &*self.inner.owner.storage;
                backlog.add(rows, queue, &def, &stats).await?;
                stuck.extend(stats.stuck(queue));
            }
        }
        findings.push(backlog.finding(page.next.is_some()));
        findings.extend(stuck);
        Ok(findings)
    }
}
