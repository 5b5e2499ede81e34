//! Paging through messages: what is in memory first, in queue order, then what lies behind.

pub(crate) mod cursor;

use std::num::NonZeroU32;
use std::ops::Bound;
use std::sync::Arc;

use longshore_core::{Cursor, Page, QueueName, Result, StoredMessage, Timestamp};

use crate::cql::queue_def::QueueDef;
use crate::pages::cursor::{List, Stand, malformed};
use crate::protocol::stream_kind;
use crate::shard::entry::Entry;
use crate::shard::load::beyond_window::BeyondWindow;
use crate::shard_access::Looked;
use crate::store::Inner;

impl Inner {
    /// A page of a list of a queue that may not exist.
    pub(crate) async fn page(
        self: &Arc<Self>,
        def: Option<Arc<QueueDef>>,
        list: List,
        after: Option<Stand>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let Some(def) = def else {
            return Ok(Page::last(Vec::new()));
        };
        let max = max.get() as usize;
        let looked = self.look_at_all(&def).await?;
        let now = self.now();
        let mut found = Vec::new();
        if list.has_live() {
            if !matches!(
                after,
                Some(Stand::BeyondLive(..) | Stand::Dead(_) | Stand::BeyondDead(..))
            ) {
                let held = held_live(&looked, list, after, max + 1, now);
                take_views(&looked, held, now, &mut found).await?;
            }
            if !matches!(after, Some(Stand::Dead(_) | Stand::BeyondDead(..))) {
                let kinds = [0, 1, 2, stream_kind::DELAYED];
                let shows = |entry: &Entry| {
                    let in_hands = entry.is_in_hands(now);
                    entry.state.dead.is_none() && (list == List::Peek || !in_hands)
                };
                let begin = match after {
                    Some(Stand::BeyondLive(shard, far)) => Some((shard, far)),
                    _ => None,
                };
                let room = max + 1 - found.len();
                let far = beyond_of(&looked, &kinds, begin, room, now, shows).await?;
                found.extend(
                    far.into_iter()
                        .map(|(shard, far, view)| (Stand::BeyondLive(shard, far), view)),
                );
            }
        }
        if list.has_dead() {
            if !matches!(after, Some(Stand::BeyondDead(..))) {
                let room = max + 1 - found.len();
                let held = held_dead(&looked, after, room);
                take_views(&looked, held, now, &mut found).await?;
            }
            let begin = match after {
                Some(Stand::BeyondDead(shard, far)) => Some((shard, far)),
                _ => None,
            };
            let room = max + 1 - found.len();
            let shows = |entry: &Entry| entry.state.dead.is_some();
            let far = beyond_of(&looked, &[stream_kind::DEAD], begin, room, now, shows).await?;
            found.extend(
                far.into_iter()
                    .map(|(shard, far, view)| (Stand::BeyondDead(shard, far), view)),
            );
        }
        let more = found.len() > max;
        found.truncate(max);
        let end = found.last().filter(|_| more);
        let next = end.map(|(stand, _)| list.cursor(stand));
        let items = found.into_iter().map(|(_, view)| view).collect();
        Ok(Page { items, next })
    }

    /// A page of the queues by name.
    pub(crate) async fn page_queues(
        self: &Arc<Self>,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<QueueName>> {
        let after = match after {
            None => String::new(),
            Some(cursor) => {
                let name = cursor.as_str().strip_prefix("q:").unwrap_or_default();
                let name = QueueName::new(name).map_err(|_| malformed("queues"))?;
                name.as_str().to_owned()
            }
        };
        let max = max.get() as usize;
        let mut names = self.names_that_exist(after, max + 1).await?;
        let more = names.len() > max;
        names.truncate(max);
        let last = names.last().filter(|_| more);
        let next = last.map(|name| Cursor::new(format!("q:{name}")));
        Ok(Page { items: names, next })
    }

    /// A page of names after one; deleted queues only where something is in them.
    async fn names_that_exist(
        self: &Arc<Self>,
        mut after: String,
        wanted: usize,
    ) -> Result<Vec<QueueName>> {
        let mut names = Vec::new();
        loop {
            let read = self.catalog.names(&after, wanted - names.len()).await?;
            let Some((last, _)) = read.last() else {
                return Ok(names);
            };
            last.as_str().clone_into(&mut after);
            for (name, is_deleted) in read {
                if !is_deleted || self.stats(&name).await?.is_some() {
                    names.push(name);
                }
            }
            if names.len() >= wanted {
                return Ok(names);
            }
        }
    }
}

/// Live messages in memory, in queue order, and which shard has each.
fn held_live(
    looked: &[Looked],
    list: List,
    after: Option<Stand>,
    max: usize,
    now: Timestamp,
) -> Vec<(Stand, usize)> {
    let after = match after {
        Some(Stand::Live(place)) => Bound::Excluded(place),
        _ => Bound::Unbounded,
    };
    let mut stands = Vec::new();
    for (index, one) in looked.iter().enumerate() {
        let Some(shard) = one.shard() else { continue };
        let live = shard.index.order.range((after, Bound::Unbounded));
        let live = live.filter(|place| {
            let entry = shard.index.entries.get(&place.id);
            list == List::Peek || entry.is_some_and(|entry| !entry.is_in_hands(now))
        });
        stands.extend(live.take(max).map(|place| (Stand::Live(*place), index)));
    }
    stands.sort_unstable();
    stands.truncate(max);
    stands
}

/// Dead letters in memory, oldest first, and which shard has each.
fn held_dead(looked: &[Looked], after: Option<Stand>, max: usize) -> Vec<(Stand, usize)> {
    let after = match after {
        Some(Stand::Dead(place)) => Bound::Excluded(place),
        _ => Bound::Unbounded,
    };
    let mut stands = Vec::new();
    for (index, one) in looked.iter().enumerate() {
        let Some(shard) = one.shard() else { continue };
        let dead = shard.index.dead.range((after, Bound::Unbounded));
        stands.extend(
            dead.take(max)
                .map(|(place, _)| (Stand::Dead(*place), index)),
        );
    }
    stands.sort_unstable();
    stands.truncate(max);
    stands
}

/// Adds what operators see of messages in memory.
async fn take_views(
    looked: &[Looked],
    stands: Vec<(Stand, usize)>,
    now: Timestamp,
    found: &mut Vec<(Stand, StoredMessage)>,
) -> Result<()> {
    for (stand, index) in stands {
        let id = match stand {
            Stand::Live(place) => place.id,
            Stand::Dead((_, _, id)) => id,
            Stand::BeyondLive(..) | Stand::BeyondDead(..) => continue,
        };
        if let Some(shard) = looked.get(index).and_then(Looked::shard) {
            let views = shard.views(&[id], now).await?;
            found.extend(views.into_iter().map(|view| (stand, view)));
        }
    }
    Ok(())
}

/// Messages that are not in memory, shard by shard.
async fn beyond_of(
    looked: &[Looked],
    kinds: &[i8],
    last: Option<(i32, BeyondWindow)>,
    max: usize,
    now: Timestamp,
    shows: impl Fn(&Entry) -> bool,
) -> Result<Vec<(i32, BeyondWindow, StoredMessage)>> {
    let mut found = Vec::new();
    for shard in looked.iter().filter_map(Looked::shard) {
        let last = match last {
            Some((number, _)) if shard.number < number => continue,
            Some((number, far)) if shard.number == number => Some(far),
            _ => None,
        };
        let left = max - found.len();
        let far = shard.beyond_page(kinds, last, left, now, &shows).await?;
        found.extend(far.into_iter().map(|(far, view)| (shard.number, far, view)));
    }
    Ok(found)
}
