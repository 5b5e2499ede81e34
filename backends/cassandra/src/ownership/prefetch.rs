//! A shard of ours is read on, page by page, while others hand out what is in memory.

use std::sync::Arc;

use longshore_core::Result;
use uuid::Uuid;

use crate::ownership::process::Owner;
use crate::shard::load::prefetch::PageRequest;

impl Owner {
    /// Begins to read a shard on, page by page, if it is time to.
    pub(crate) fn prefetch(self: &Arc<Self>, queue: Uuid, number: i32, ahead: PageRequest) {
        let owner = self.clone();
        tokio::spawn(async move {
            if let Err(error) = owner.try_prefetch(queue, number, ahead).await {
                tracing::debug!(%error, "reading ahead failed; it is read when it is needed");
            }
        });
    }

    async fn try_prefetch(&self, queue: Uuid, number: i32, first: PageRequest) -> Result<()> {
        let mut next = Some(first);
        while let Some(ahead) = next.take() {
            let read = ahead.read(&*self.storage).await?;
            let now = self.clock.now();
            if let Some(mut opened) = self.open_own(queue, number).await?
                && let Some(shard) = opened.shard.as_mut()
                && shard.ingest_prefetched(read, now).await?
            {
                next = shard.ahead(now);
            }
        }
        Ok(())
    }
}
