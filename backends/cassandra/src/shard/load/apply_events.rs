//! Facts that others wrote change what is in memory.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join_all;
use longshore_core::{Result, StoreError, Timestamp};
use uuid::Uuid;

use crate::protocol::event::Fact;
use crate::protocol::projection::Tale;
use crate::shard::Shard;
use crate::shard::entry::{Entry, Phase};
use crate::shard::load::read::{self, facts_in};
use crate::shard::write::event_batch::Changes;

impl Shard {
    /// Reads the facts that others wrote about what is leased.
    pub(crate) async fn refresh_facts(&mut self, now: Timestamp) -> Result<()> {
        // What is on its way is in memory and not in the rows yet.
        self.flights.all_landed().await;
        let leased = self
            .model
            .entries
            .values()
            .filter(|entry| entry.is_leased());
        let addresses: Vec<_> = leased.map(|entry| entry.address).collect();
        let buckets: HashSet<_> = addresses.iter().map(|(bucket, _)| *bucket).collect();
        let rows = self.rows.clone();
        let rows = &*rows;
        let read = buckets.into_iter().map(|bucket| async move {
            let facts = facts_in(rows, bucket).await?;
            Ok::<_, StoreError>((bucket, read::by_spot(&facts)))
        });
        let read: HashMap<_, _> = try_join_all(read).await?.into_iter().collect();
        let mut changes = Changes::default();
        for (bucket, spot) in addresses {
            let facts = read.get(&bucket).and_then(|facts| facts.get(&spot));
            if let Some(facts) = facts {
                self.learn(spot.id, facts, now, &mut changes);
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.write(changes).await
    }

    /// Applies facts about a message that this memory did not know. Whoever ended it knew nothing
    /// of its copies.
    pub(crate) fn learn(
        &mut self,
        id: Uuid,
        facts: &[(i32, Fact)],
        now: Timestamp,
        changes: &mut Changes,
    ) {
        let Some(entry) = self.model.take(id) else {
            return;
        };
        let (entry, ended) = retold(entry, facts);
        let group = entry.group.clone();
        match ended {
            Some(known_until) => {
                changes.copies_done(&entry, known_until);
                self.finished(&entry, known_until, now);
                self.close_entry(&entry);
            }
            None => self.model.put(entry, now),
        }
        if let Some(group) = group {
            self.model.admit(&group);
        }
    }

    /// Remembers that an entry is done.
    pub(crate) fn finished(&mut self, entry: &Entry, known_until: Timestamp, now: Timestamp) {
        let (id, born) = (entry.id(), entry.born);
        self.model.finish(id, born, known_until, now);
        if let Some(known) = self.known_bucket(entry.address.0) {
            known.known_until = known.known_until.max(known_until);
        }
    }
}

/// An entry after facts that it did not know; the other is until when its id is recognised, if
/// it is done.
pub(crate) fn retold(mut entry: Entry, facts: &[(i32, Fact)]) -> (Entry, Option<Timestamp>) {
    let leased = match entry.phase {
        Phase::Leased(until) => Some(until),
        _ => None,
    };
    let mut tale = Tale {
        serial: entry.serial,
        state: entry.state.clone(),
        leased,
        done: None,
        told_at: None,
    };
    for (serial, fact) in facts {
        let says_more = match fact {
            Fact::Done { .. } => true,
            Fact::Extended { .. } | Fact::Became(_) if *serial == entry.serial => leased.is_some(),
            _ => *serial > entry.serial,
        };
        if says_more {
            tale.add(*serial, fact.clone());
        }
    }
    if tale.serial != entry.serial || tale.leased != leased || tale.state != entry.state {
        entry.phase = tale.leased.map_or(Phase::Ready, Phase::Leased);
    }
    entry.serial = tale.serial;
    entry.state = tale.state;
    let ended = tale.done.map(|(_, known_until)| known_until);
    (entry, ended)
}
