//! The signs of life of this process.

use std::sync::atomic::Ordering;

use longshore_core::Result;
use tokio::time::Instant;
use uuid::Uuid;

use crate::ownership::failure_detector::{BEAT, DEAD_AFTER};
use crate::ownership::process::Owner;

impl Owner {
    /// Gives a sign of life if one is due. A process that others declared dead, because it stood
    /// still, goes on as a new one, without stripes.
    pub(crate) async fn keep_alive(&self) -> Result<()> {
        if self.is_beat_fresh() {
            return Ok(());
        }
        // One at a time: the second beat counts only once the first is there.
        let _turn = self.beating.lock().await;
        if self.is_beat_fresh() {
            return Ok(());
        }
        let start = Instant::now();
        let (process, before) = {
            let last = self.last();
            (last.process, last.beat)
        };
        let beat = self.beats.fetch_add(1, Ordering::Relaxed) + 1;
        match self.storage.beat(process, beat).await {
            Ok(true) => self.last().beat = Some(start),
            Ok(false) => {
                tracing::warn!("declared dead by its peers; rejoining with a new process id");
                let next = Uuid::from_u128(fastrand::u128(..));
                self.beats.store(1, Ordering::Relaxed);
                self.storage.beat(next, 1).await?;
                let mut last = self.last();
                last.process = next;
                last.beat = Some(start);
            }
            // The next one is soon enough.
            Err(_) if before.is_some_and(|at| at.elapsed() < DEAD_AFTER / 2) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn is_beat_fresh(&self) -> bool {
        let last = self.last().beat;
        last.is_some_and(|at| at.elapsed() < BEAT)
    }
}
