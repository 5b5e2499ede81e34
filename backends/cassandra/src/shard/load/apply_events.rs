//! Events that others wrote change what is in memory.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join_all;
use longshore_core::{Result, StoreError, Timestamp};
use uuid::Uuid;

use crate::protocol::event::Event;
use crate::protocol::projection::Projection;
use crate::shard::Shard;
use crate::shard::entry::{Entry, Phase};
use crate::shard::load::read::{self, events_in};
use crate::shard::write::event_batch::EventBatch;

impl Shard {
    /// Reads the events that others wrote about what is leased.
    pub(crate) async fn refresh_events(&mut self, now: Timestamp) -> Result<()> {
        // What is on its way is in memory and not in the rows yet.
        self.in_flight_writes.all_completed().await;
        let leased = self
            .index
            .entries
            .values()
            .filter(|entry| entry.is_leased());
        let addresses: Vec<_> = leased.map(|entry| entry.address).collect();
        let buckets: HashSet<_> = addresses.iter().map(|(bucket, _)| *bucket).collect();
        let rows = self.storage.clone();
        let rows = &*rows;
        let read = buckets.into_iter().map(|bucket| async move {
            let events = events_in(rows, bucket).await?;
            Ok::<_, StoreError>((bucket, read::by_position(&events)))
        });
        let read: HashMap<_, _> = try_join_all(read).await?.into_iter().collect();
        let mut changes = EventBatch::default();
        for (bucket, position) in addresses {
            let events = read.get(&bucket).and_then(|events| events.get(&position));
            if let Some(events) = events {
                self.apply_events(position.id, events, now, &mut changes);
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.write(changes).await
    }

    /// Applies events about a message that this memory did not know. The process that ended it knew
    /// nothing of its copies.
    pub(crate) fn apply_events(
        &mut self,
        id: Uuid,
        events: &[(i32, Event)],
        now: Timestamp,
        changes: &mut EventBatch,
    ) {
        let Some(entry) = self.index.take(id) else {
            return;
        };
        let (entry, ended) = retold(entry, events);
        let group = entry.group.clone();
        match ended {
            Some(known_until) => {
                changes.copies_done(&entry, known_until);
                self.finished(&entry, known_until, now);
                self.close_entry(&entry);
            }
            None => self.index.put(entry, now),
        }
        if let Some(group) = group {
            self.index.admit(&group);
        }
    }

    /// Remembers that an entry is done.
    pub(crate) fn finished(&mut self, entry: &Entry, known_until: Timestamp, now: Timestamp) {
        let (id, born) = (entry.id(), entry.born);
        self.index.finish(id, born, known_until, now);
        if let Some(known) = self.known_bucket(entry.address.0) {
            known.known_until = known.known_until.max(known_until);
        }
    }
}

/// An entry after events that it did not know; the other is until when its id is recognised, if
/// it is done.
pub(crate) fn retold(mut entry: Entry, events: &[(i32, Event)]) -> (Entry, Option<Timestamp>) {
    let leased = match entry.phase {
        Phase::Leased(until) => Some(until),
        _ => None,
    };
    let mut projection = Projection {
        serial: entry.serial,
        state: entry.state.clone(),
        leased,
        done: None,
        event_position: None,
    };
    for (serial, event) in events {
        let says_more = match event {
            Event::Done { .. } => true,
            Event::Extended { .. } | Event::Became(_) if *serial == entry.serial => {
                leased.is_some()
            }
            _ => *serial > entry.serial,
        };
        if says_more {
            projection.add(*serial, event.clone());
        }
    }
    if projection.serial != entry.serial
        || projection.leased != leased
        || projection.state != entry.state
    {
        entry.phase = projection.leased.map_or(Phase::Ready, Phase::Leased);
    }
    entry.serial = projection.serial;
    entry.state = projection.state;
    let ended = projection.done.map(|(_, known_until)| known_until);
    (entry, ended)
}
