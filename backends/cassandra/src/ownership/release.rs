//! Giving stripes to processes that want them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use longshore_core::Result;
use uuid::Uuid;

use crate::cql::queue_catalog::is_unsettled;
use crate::ownership::process::Owner;
use crate::ownership::rebalance::{Keeper, Need, Want};
use crate::ownership::stripe::{Held, Stripe, doorbell_of, stripe_of};
use crate::protocol::storage::{Notification, NotificationKind};
use crate::shard::load::catch_up::News;

/// How often giving a stripe up is tried while its outcome stays unknown.
const GIVE_UP_TRIES: u32 = 5;

impl Owner {
    /// Reads the doorbells of some stripes, notes the news and gives up what others want.
    pub(crate) async fn listen(self: &Arc<Self>, stripes: &[i16]) -> Result<()> {
        let doorbells: BTreeSet<_> = stripes.iter().map(|stripe| doorbell_of(*stripe)).collect();
        let read = doorbells
            .into_iter()
            .map(|doorbell| self.storage.notifications(doorbell));
        let notifications = try_join_all(read).await?.into_iter().flatten().collect();
        let fresh = self.doorbells.hear(notifications);
        let (wanted, news): (Vec<_>, Vec<_>) = fresh
            .into_iter()
            .partition(|ring| ring.what == NotificationKind::Wanted);
        if !news.is_empty() {
            self.changed.notify_waiters();
        }
        self.consider(&wanted);
        Ok(())
    }

    /// What is new about a shard. Where members of groups came from this process, what others have
    /// rung before is heard first.
    pub(crate) async fn news(self: &Arc<Self>, queue: Uuid, shard: i32) -> Result<Option<News>> {
        if self.doorbells.has_grouped(queue, shard) {
            self.listen(&[stripe_of(queue, shard)]).await?;
        }
        Ok(self.doorbells.take(queue, shard))
    }

    /// Gives stripes up that other processes want, unless they are of use here.
    fn consider(self: &Arc<Self>, wanted: &[Notification]) {
        let mut given: HashMap<Uuid, u32> = HashMap::new();
        for ring in wanted {
            let stripe = self.stripe(stripe_of(ring.queue, ring.shard));
            let given = given.entry(ring.queue).or_default();
            let mut want = Want::of_number(ring.bucket);
            let Some(mut keeper) = self.keeper(&stripe, ring.queue, ring.shard) else {
                continue;
            };
            // Those before this one change hands a little later.
            keeper.has = keeper.has.saturating_sub(*given);
            want.has += *given;
            let had_one = *given > 0 && want.need == Need::Starving;
            if !had_one && want.moves(keeper) {
                *given += 1;
                let owner = self.clone();
                tokio::spawn(async move {
                    // What cannot be given up now is asked for again.
                    let _ = owner.give_up(&stripe).await;
                });
            }
        }
    }

    /// Gives a stripe up, once nobody here works on its shards.
    pub(crate) async fn give_up(&self, stripe: &Stripe) -> Result<()> {
        let mut held = stripe.held.write().await;
        let Some(ownership) = held.ownership else {
            return Ok(());
        };
        held.all_completed().await;
        self.tell_settled(&held).await;
        held.change(None);
        let mut is_ours = ownership.owner == Some(self.process());
        let mut tries = 0;
        while is_ours && tries < GIVE_UP_TRIES {
            match self.storage.own(stripe.number, ownership, None).await {
                Err(error) if is_unsettled(&error) => {
                    is_ours = self
                        .storage
                        .owner(stripe.number)
                        .await
                        .is_ok_and(|now| now == ownership);
                    tries += 1;
                }
                done => return done.map(drop),
            }
        }
        Ok(())
    }

    /// Tells the next owner what it need not read. If that fails it reads more.
    async fn tell_settled(&self, held: &Held) {
        let now = self.clock.now();
        let told = held.slots().into_iter().map(|(_, slot)| async move {
            if let Some(shard) = slot.lock().await.as_mut() {
                let _ = shard.note_watermark(now).await;
            }
        });
        join_all(told).await;
    }

    /// Gives all stripes up.
    pub(crate) async fn give_up_all(&self) -> Result<()> {
        let stripes = self.stripes();
        let given = stripes.iter().map(|stripe| self.give_up(stripe));
        // One that fails breaks no other off in the middle of its transaction.
        join_all(given).await.into_iter().collect()
    }

    /// This process as the keeper of a stripe; `None` if the stripe is not ours.
    fn keeper(&self, stripe: &Stripe, queue: Uuid, shard: i32) -> Option<Keeper> {
        let held = stripe.held.try_read().ok()?;
        if !self.is_mine(&held) {
            return None;
        }
        let slot = held.slot(queue, shard);
        let now = self.clock.now();
        // One that is being worked on, or was not read yet, may have something to do.
        let is_ready = slot.try_lock().map_or(true, |slot| {
            slot.as_ref().is_none_or(|it| it.index.is_ready_at(now))
        });
        let is_ready = is_ready || self.doorbells.has_news(queue, shard);
        Some(Keeper {
            is_wanted: self.demand.is_wanted(queue),
            has: self.has(queue),
            held_for: held.since.elapsed(),
            is_ready,
        })
    }

    /// How many shards of a queue this process has in its memory.
    pub(crate) fn has(&self, queue: Uuid) -> u32 {
        let mut count = 0;
        for stripe in self.stripes() {
            if let Ok(held) = stripe.held.try_read()
                && self.is_mine(&held)
            {
                let slots = held.slots();
                count += slots.iter().filter(|((of, _), _)| *of == queue).count();
            }
        }
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}
