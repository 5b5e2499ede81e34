//! What is to be seen of an aggregate, put together from its shards.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use bytes::Bytes;
use futures_util::future::try_join_all;
use longshore_core::wire::decode;
use longshore_core::{
    AggregateInfo, AggregateKey, Content, Cursor, Epoch, EpochInfo, EpochPlace, Page, Part,
    PartPlace, Result, Timestamp,
};
use uuid::Uuid;

use crate::aggregate::calls::least;
use crate::aggregate::replica::Replica;
use crate::aggregate::sharded::Sharded;
use crate::aggregate::storage::{PartRow, PartSpot};
use crate::aggregate::submit::SharedLog;

/// A page of parts ends with the part that takes it over so many bytes of bodies.
const PAGE_BYTES: u64 = 1024 * 1024;

impl Sharded {
    /// Its numbers.
    pub(super) async fn info(&self) -> Result<AggregateInfo> {
        let looks = self.shards.iter();
        let looks = looks
            .map(|shard| shard.look(|replica| (replica.state.info(), replica.exchange.waiting())));
        let mut all = AggregateInfo::new(self.name.clone());
        for (info, (outgoing, since)) in try_join_all(looks).await? {
            all.accepted += info.accepted;
            all.open += info.open;
            all.closed += info.closed;
            all.released += info.released;
            all.dead += info.dead;
            all.dropped += info.dropped;
            all.discarded += info.discarded;
            all.open_epochs += info.open_epochs;
            all.closed_epochs += info.closed_epochs;
            all.next = least(all.next, info.next);
            all.outgoing += outgoing;
            all.outgoing_since = least(all.outgoing_since, since);
        }
        Ok(all)
    }

    /// Its epochs: those that are open by key, then those that are closed by number.
    pub(super) async fn epochs(
        &self,
        key: Option<&AggregateKey>,
        after: Option<&EpochPlace>,
        max: NonZeroU32,
        now: Timestamp,
    ) -> Result<Page<EpochInfo>> {
        let shards = match key {
            Some(key) => std::slice::from_ref(&self.shards[self.of_key(key)]),
            None => &self.shards[..],
        };
        let page = |replica: &Replica| replica.state.epochs(key, after, max, replica.time(now));
        let looks = shards.iter().map(|shard| shard.look(page));
        let (mut items, mut is_cut) = (Vec::new(), false);
        for page in try_join_all(looks).await? {
            items.extend(page.items);
            is_cut |= page.next.is_some();
        }
        items.sort_by_cached_key(|info| EpochPlace::from(info));
        is_cut |= items.len() > max.get() as usize;
        items.truncate(max.get() as usize);
        let next = items.last().filter(|_| is_cut);
        let next = next.map(|info| EpochPlace::from(info).cursor());
        Ok(Page { items, next })
    }

    /// The parts of an epoch, ordered by position, then by id.
    pub(super) async fn parts(
        &self,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<PartPlace>,
        max: NonZeroU32,
    ) -> Result<Page<Part>> {
        let shard = &self.shards[self.of_key(key)];
        let spots = |replica: &Replica| cut(replica.state.parts(key, epoch, after, max));
        let page = shard.look(spots).await?;
        let mut rows = read(shard, &page.items).await?;
        let parts = page.items.iter().map(|(place, spot)| {
            let row = rows.remove(&(spot.seq, spot.record, spot.row));
            Part::new(content(*place, row))
        });
        let items: Vec<_> = parts.collect();
        let is_damaged = |part: &Part| matches!(part.content, Content::Damaged { .. });
        if items.iter().any(is_damaged) {
            // Its rows are gone once the epoch is done, which may be since the look.
            let again = shard.look(spots).await?;
            if again.items.len() != items.len() {
                return Ok(Page::last(Vec::new()));
            }
        }
        let next = page.next;
        Ok(Page { items, next })
    }
}

/// The page up to the part that takes it over its bytes.
fn cut(mut page: Page<(PartPlace, PartSpot)>) -> Page<(PartPlace, PartSpot)> {
    let mut bytes = 0;
    let is_over = |(_, spot): &(PartPlace, PartSpot)| {
        bytes += u64::from(spot.bytes);
        bytes > PAGE_BYTES
    };
    if let Some(last) = page.items.iter().position(is_over)
        && last + 1 < page.items.len()
    {
        page.items.truncate(last + 1);
        page.next = page.items.last().map(|(place, _)| place.cursor());
    }
    page
}

/// The rows of parts, by the record and the row in it.
async fn read(
    shard: &SharedLog,
    spots: &[(PartPlace, PartSpot)],
) -> Result<BTreeMap<(i64, Uuid, i32), PartRow>> {
    let mut records: BTreeMap<(i64, Uuid), Vec<i32>> = BTreeMap::new();
    for (_, spot) in spots {
        let rows = records.entry((spot.seq, spot.record)).or_default();
        rows.push(spot.row);
    }
    let log = &shard.log;
    let records: Vec<_> = records.into_iter().collect();
    let mut found = BTreeMap::new();
    for some in records.chunks(32) {
        let reads = some.iter().map(|((seq, id), rows)| async move {
            let parts = log.storage.parts(log.id, (*seq, *id), rows).await?;
            let parts = parts.into_iter();
            Ok::<_, longshore_core::StoreError>(
                parts
                    .map(|(row, part)| ((*seq, *id, row), part))
                    .collect::<Vec<_>>(),
            )
        });
        found.extend(try_join_all(reads).await?.into_iter().flatten());
    }
    Ok(found)
}

/// The message of a part. One whose row is lost is damaged, so that its epoch goes on without it.
fn content(place: PartPlace, row: Option<PartRow>) -> Content {
    let PartRow { head, body } = row.unwrap_or(PartRow {
        head: Bytes::new(),
        body: Bytes::new(),
    });
    match decode(&head, body.clone()) {
        Ok(message) if message.id == place.id => Content::Intact(message),
        _ => Content::Damaged {
            id: place.id,
            head,
            body,
        },
    }
}

/// Where a page goes on.
pub(super) fn after_name(after: Option<&Cursor>) -> &str {
    after.map_or("", Cursor::as_str)
}
