//! A log does not grow for ever: it is cut off behind snapshots.
//!
//! A snapshot is announced by a record, written, adopted by a record whose swap also has the head
//! name it, and doomed by the next one that is adopted. What is doomed is deleted, then struck from
//! the list by a record. The list is part of the log, so that a process which is killed at any step
//! leaves nothing behind that the next one does not find.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::Result;
use uuid::Uuid;

use crate::aggregate::log::{Batch, Log};
use crate::aggregate::record::{Command, encode};
use crate::aggregate::replica::Replica;
use crate::aggregate::storage::{PartSpot, page_of};

impl Log {
    /// Writes a snapshot where one is due, and deletes what nobody reads any more. What fails is
    /// done the next time.
    pub(super) async fn tidy(&self, replica: &mut Option<Replica>) {
        let is_due = |known: &mut Replica| self.is_due(known);
        if !replica.as_mut().is_some_and(is_due) {
            return;
        }
        if let Err(error) = self.cut(replica).await {
            tracing::debug!(aggregate = %self.name, shard = self.id.shard, %error, "a log could not be cut off behind a snapshot; it is tried again");
        }
    }

    fn is_due(&self, known: &Replica) -> bool {
        let kept = &known.kept;
        let last = kept.adopted.map_or(0, |(_, seq)| seq);
        let bounds = &self.bounds;
        let is_long = known.head.seq - last >= bounds.tail_records
            || known.tail_bytes > bounds.tail_bytes.max(known.snapshot_bytes);
        let mut announced = kept.announced.values();
        is_long && announced.all(|at| at + bounds.patience < known.head.seq)
    }

    async fn cut(&self, replica: &mut Option<Replica>) -> Result<()> {
        let snapshot = Uuid::from_u128(fastrand::u128(..));
        self.note(replica, Command::Announce(snapshot)).await?;
        let Some(known) = replica else { return Ok(()) };
        let stored = encode("aggregate", &known.stored())?;
        for (piece, body) in (0..).zip(stored.chunks(self.bounds.piece_bytes)) {
            let body = bytes::Bytes::copy_from_slice(body);
            self.storage
                .put_snapshot(self.id, snapshot, piece, body)
                .await?;
        }
        self.refresh(replica, None).await?;
        let Some(known) = replica else { return Ok(()) };
        if !known.is_announced(snapshot) {
            return Ok(());
        }
        self.note(replica, Command::Adopt(snapshot)).await?;
        if let Some(known) = replica {
            (known.tail_bytes, known.snapshot_bytes) = (0, stored.len());
        }
        self.delete(replica).await
    }

    /// Deletes what nobody reads any more.
    async fn delete(&self, replica: &mut Option<Replica>) -> Result<()> {
        let Some(known) = replica else { return Ok(()) };
        let snapshots: Vec<_> = known.kept.doomed.iter().copied().collect();
        let pages = known.dead_pages();
        for snapshot in &snapshots {
            self.storage.delete_snapshot(self.id, *snapshot).await?;
        }
        for page in &pages {
            self.storage.delete_page(self.id, *page).await?;
        }
        if snapshots.is_empty() && pages.is_empty() {
            return Ok(());
        }
        self.note(replica, Command::Deleted { snapshots, pages })
            .await
    }

    async fn note(&self, replica: &mut Option<Replica>, command: Command) -> Result<()> {
        let mut batch = Batch {
            commands: vec![command],
            parts: Vec::new(),
        };
        self.commit(replica, &mut batch, |_| ()).await.map(drop)
    }
}

impl Replica {
    /// Pages behind the snapshot in which no part is left.
    fn dead_pages(&self) -> Vec<i64> {
        let behind = self.kept.adopted.map_or(0, |(_, seq)| page_of(seq));
        let mut dead: BTreeSet<_> = self.kept.pages.range(..behind).copied().collect();
        for seq in self.exchange.outgoing.values().flat_map(BTreeMap::keys) {
            dead.remove(&page_of(*seq));
        }
        let live = self.state.kept();
        for PartSpot { seq, .. } in live {
            dead.remove(&page_of(*seq));
        }
        dead.into_iter().collect()
    }
}
