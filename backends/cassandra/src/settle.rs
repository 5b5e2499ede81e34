//! Ending and extending deliveries: in memory where the shard is ours, as events elsewhere.

pub(crate) mod unowned;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use longshore_core::{
    Disposition, MessageId, QueueName, Receipt, Result, Settled, Settlement, StoreError,
};
use uuid::Uuid;

use crate::cql::queue_def::QueueDef;
use crate::protocol::receipt::DeliveryTag;
use crate::store::{Inner, by_shard};

impl Inner {
    /// What receipts say. One of another cell is told: nothing here knows its message, and to call
    /// its lease lost would send people looking in the wrong place.
    pub(crate) fn tags<'a>(
        &self,
        operation: &'static str,
        receipts: impl Iterator<Item = &'a Receipt>,
    ) -> Result<Vec<Option<DeliveryTag>>> {
        let own = self.catalog.cell;
        let read = receipts.map(|receipt| match DeliveryTag::of(receipt) {
            Some(tag) if tag.cell != own => Err(StoreError::invalid_input(
                operation,
                format!(
                    "the receipt is of cell {}, and this store works cell {own}; use the URL of \
                     the data centre that gave it",
                    tag.cell
                ),
            )),
            tag => Ok(tag),
        });
        read.collect()
    }

    /// Ends deliveries.
    pub(crate) async fn settle(
        self: &Arc<Self>,
        name: &QueueName,
        batch: &[Settlement],
    ) -> Result<Vec<Settled>> {
        // First: the queue need not exist in this cell.
        let tags = self.tags("settle", batch.iter().map(|item| &item.receipt))?;
        let mut outcomes = vec![Settled::LeaseLost; batch.len()];
        let Some(def) = self.catalog.get(name).await? else {
            return Ok(outcomes);
        };
        let shards = by_shard(def.queue, &tags);
        let done = shards.into_iter().map(|(shard, indexes)| {
            let items: Vec<(DeliveryTag, &Disposition)> = indexes
                .iter()
                .filter_map(|index| Some((tags[*index]?, &batch[*index].disposition)))
                .collect();
            let def = &def;
            async move {
                let settled = self.settle_shard(def, shard, &items).await?;
                Ok::<_, StoreError>((indexes, settled))
            }
        });
        let done = try_join_all(done).await;
        for (indexes, settled) in done.map_err(|error| of_some(error, batch.len()))? {
            for (index, settled) in indexes.into_iter().zip(settled) {
                outcomes[index] = settled;
            }
        }
        let acked = batch.iter().zip(&tags);
        let acked = acked.filter(|(item, _)| item.disposition == Disposition::Ack);
        let ids = acked.filter_map(|(_, tag)| Some(MessageId::from_uuid((*tag)?.position.id)));
        self.recent.forget_stored(name, ids);
        self.owner.changed.notify_waiters();
        Ok(outcomes)
    }

    async fn settle_shard(
        &self,
        def: &QueueDef,
        number: i32,
        items: &[(DeliveryTag, &Disposition)],
    ) -> Result<Vec<Settled>> {
        if let Some(mut opened) = self.owner.open_own(def.queue, number).await?
            && let Some(shard) = opened.shard.as_mut()
        {
            if let Some(news) = self.owner.news(def.queue, number).await? {
                shard.catch_up(news, self.now()).await?;
            }
            let parts = Parts::of(items, |(tag, _)| shard.is_unread(tag));
            let process = self.owner.process();
            let begun = shard.begin_settle(&parts.read, &def.settings, self.now());
            let (mut settled, write) = begun.await?;
            // Others may work on the shard meanwhile.
            drop(opened);
            if let Some(write) = write {
                write.complete().await?;
            }
            let later = parts.read.iter().map(|(tag, disposition)| {
                let is_ack = **disposition == Disposition::Ack;
                (!is_ack).then_some(*tag)
            });
            self.look_again(process, later, &mut settled).await?;
            if parts.unread.is_empty() {
                return Ok(settled);
            }
            let afar = self.settle_afar(def, number, &parts.unread).await?;
            return Ok(parts.joined(settled, afar));
        }
        self.settle_afar(def, number, items).await
    }

    /// Ends deliveries of messages that are not in memory here.
    async fn settle_afar(
        &self,
        def: &QueueDef,
        number: i32,
        items: &[(DeliveryTag, &Disposition)],
    ) -> Result<Vec<Settled>> {
        let mut outcomes = Vec::with_capacity(items.len());
        for round in rounds(items.iter().map(|(tag, _)| *tag)) {
            let settled = items[round].iter().map(|(tag, disposition)| {
                let now = self.now();
                let sequence = self.owner.hybrid.next(now);
                unowned::settle(
                    &*self.owner.storage,
                    tag,
                    disposition,
                    &def.settings,
                    now,
                    sequence,
                )
            });
            outcomes.extend(try_join_all(settled).await?);
        }
        self.announce_events(def.queue, number).await?;
        Ok(outcomes)
    }

    /// Makes leases last until now + `lease`.
    pub(crate) async fn extend(
        self: &Arc<Self>,
        name: &QueueName,
        tags: &[Option<DeliveryTag>],
        lease: Duration,
    ) -> Result<Vec<Settled>> {
        let mut outcomes = vec![Settled::LeaseLost; tags.len()];
        let Some(def) = self.catalog.get(name).await? else {
            return Ok(outcomes);
        };
        let shards = by_shard(def.queue, tags);
        let done = shards.into_iter().map(|(shard, indexes)| {
            let tags: Vec<_> = indexes.iter().filter_map(|index| tags[*index]).collect();
            let def = &def;
            async move {
                let extended = self.extend_shard(def, shard, &tags, lease).await?;
                Ok::<_, StoreError>((indexes, extended))
            }
        });
        let done = try_join_all(done).await;
        for (indexes, extended) in done.map_err(|error| of_some(error, tags.len()))? {
            for (index, extended) in indexes.into_iter().zip(extended) {
                outcomes[index] = extended;
            }
        }
        Ok(outcomes)
    }

    async fn extend_shard(
        &self,
        def: &QueueDef,
        number: i32,
        tags: &[DeliveryTag],
        lease: Duration,
    ) -> Result<Vec<Settled>> {
        if let Some(mut opened) = self.owner.open_own(def.queue, number).await?
            && let Some(shard) = opened.shard.as_mut()
        {
            let parts = Parts::of(tags, |tag| shard.is_unread(tag));
            let process = self.owner.process();
            let mut extended = shard.extend(&parts.read, lease, self.now()).await?;
            drop(opened);
            let tags = parts.read.iter().map(|tag| Some(*tag));
            self.look_again(process, tags, &mut extended).await?;
            if parts.unread.is_empty() {
                return Ok(extended);
            }
            let afar = self.extend_afar(def, number, &parts.unread, lease).await?;
            return Ok(parts.joined(extended, afar));
        }
        self.extend_afar(def, number, tags, lease).await
    }

    /// What an owner wrote holds, unless others may have taken over before it was there: then it
    /// looks whether they delivered the messages again.
    async fn look_again(
        &self,
        process: Uuid,
        tags: impl Iterator<Item = Option<DeliveryTag>>,
        outcomes: &mut [Settled],
    ) -> Result<()> {
        if self.owner.is_still(process) {
            return Ok(());
        }
        for (tag, outcome) in tags.zip(outcomes) {
            if let (Some(tag), Settled::Applied) = (tag, *outcome) {
                *outcome = unowned::unless_overtaken(&*self.owner.storage, &tag).await?;
            }
        }
        Ok(())
    }

    async fn extend_afar(
        &self,
        def: &QueueDef,
        number: i32,
        tags: &[DeliveryTag],
        lease: Duration,
    ) -> Result<Vec<Settled>> {
        let extended = tags
            .iter()
            .map(|tag| unowned::extend(&*self.owner.storage, tag, lease, self.now()));
        let outcomes = try_join_all(extended).await?;
        self.announce_events(def.queue, number).await?;
        Ok(outcomes)
    }
}

/// The error of a call about so many messages: what failed for some may be done for others.
fn of_some(error: StoreError, messages: usize) -> StoreError {
    if messages > 1 {
        error.effect_unknown()
    } else {
        error
    }
}

/// The items of a call to a shard that is ours: about messages that were read, and about those
/// that lie behind them, which another process handed out.
struct Parts<T> {
    read: Vec<T>,
    unread: Vec<T>,
    /// In which part each item is.
    is_unread: Vec<bool>,
}

impl<T: Copy> Parts<T> {
    fn of(items: &[T], is_unread: impl Fn(&T) -> bool) -> Self {
        let is_unread: Vec<_> = items.iter().map(is_unread).collect();
        let part = |of: bool| {
            let items = items.iter().zip(&is_unread);
            let items = items.filter(|(_, is_unread)| **is_unread == of);
            items.map(|(item, _)| *item).collect()
        };
        Self {
            read: part(false),
            unread: part(true),
            is_unread,
        }
    }

    /// The outcomes of both parts in the order of the items.
    fn joined(&self, read: Vec<Settled>, unread: Vec<Settled>) -> Vec<Settled> {
        let (mut read, mut unread) = (read.into_iter(), unread.into_iter());
        let next = |is_unread: &bool| {
            if *is_unread {
                unread.next()
            } else {
                read.next()
            }
        };
        self.is_unread.iter().filter_map(next).collect()
    }
}

/// Cuts a batch so that no message is in one piece twice: its ends are judged in order.
fn rounds(tags: impl Iterator<Item = DeliveryTag>) -> Vec<std::ops::Range<usize>> {
    let mut rounds: Vec<std::ops::Range<usize>> = Vec::new();
    let mut seen = HashSet::new();
    for (index, tag) in tags.enumerate() {
        let repeats = !seen.insert(tag.position);
        match rounds.last_mut() {
            Some(round) if !repeats => round.end = index + 1,
            _ => {
                seen.clear();
                seen.insert(tag.position);
                rounds.push(index..index + 1);
            }
        }
    }
    rounds
}
