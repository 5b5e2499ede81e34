//! A shard of ours is read on, slice by slice, while others hand out what is in memory.

use std::sync::Arc;

use longshore_core::Result;
use uuid::Uuid;

use crate::ownership::process::Owner;
use crate::shard::load::prefetch::Ahead;

impl Owner {
    /// Begins to read a shard on, slice by slice, if it is time to.
    pub(crate) fn read_ahead(self: &Arc<Self>, queue: Uuid, number: i32, ahead: Ahead) {
        let owner = self.clone();
        tokio::spawn(async move {
            if let Err(error) = owner.try_read_ahead(queue, number, ahead).await {
                tracing::debug!(%error, "reading ahead failed; whoever needs it reads it");
            }
        });
    }

    async fn try_read_ahead(&self, queue: Uuid, number: i32, first: Ahead) -> Result<()> {
        let mut next = Some(first);
        while let Some(ahead) = next.take() {
            let read = ahead.read(&*self.rows).await?;
            let now = self.clock.now();
            if let Some(mut opened) = self.open_own(queue, number).await?
                && let Some(shard) = opened.shard.as_mut()
                && shard.take_ahead(read, now).await?
            {
                next = shard.ahead(now);
            }
        }
        Ok(())
    }
}
