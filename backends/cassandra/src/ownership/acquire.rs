//! Taking stripes: from nobody, from the dead, or from an owner who has no use for them.

use std::time::Duration;

use longshore_core::Result;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::cql::queue_catalog::is_unsettled;
use crate::ownership::failure_detector::Life;
use crate::ownership::process::Owner;
use crate::ownership::rebalance::{Need, Want};
use crate::ownership::stripe::{Held, Opened, doorbell_of, stripe_of};
use crate::protocol::storage::{Notification, NotificationKind, Ownership};

/// How often a stripe that another process has is asked for.
const ASK_EVERY: Duration = Duration::from_millis(25);

/// What one try to get a stripe came to.
enum Tried {
    /// It is ours.
    Taken,
    /// A transaction of unknown outcome: a serial read finishes it.
    Unsettled,
    /// Another process has it.
    Kept(Life),
}

impl Owner {
    /// Opens a shard for an operator's call, whose owner gives its stripe up for it; `None` if that
    /// takes longer than `patience`.
    pub(crate) async fn open(
        &self,
        queue: Uuid,
        shard: i32,
        patience: Duration,
    ) -> Result<Option<Opened>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(opened) = self.open_own(queue, shard).await? {
                return Ok(Some(opened));
            }
            let stripe = self.stripe(stripe_of(queue, shard));
            let mut held = stripe.held.clone().write_owned().await;
            let is_mine = self.is_mine(&held);
            if !is_mine && !self.take(queue, shard, &mut held, deadline).await? {
                return Ok(None);
            }
        }
    }

    /// Takes a stripe, waiting for its owner until the deadline.
    async fn take(
        &self,
        queue: Uuid,
        shard: i32,
        held: &mut Held,
        deadline: Instant,
    ) -> Result<bool> {
        let want = Want {
            need: Need::Urgent,
            has: 0,
        };
        let stripe = stripe_of(queue, shard);
        let (mut asked, mut unsettled) = (false, false);
        loop {
            match self.try_take(stripe, held, unsettled).await? {
                Tried::Taken => return Ok(true),
                Tried::Kept(Life::Alive) if asked && Instant::now() >= deadline => {
                    return Ok(false);
                }
                Tried::Kept(_) => {
                    unsettled = false;
                    self.ask(queue, shard, want).await?;
                    asked = true;
                    sleep(ASK_EVERY).await;
                }
                Tried::Unsettled if Instant::now() >= deadline => return Ok(false),
                Tried::Unsettled => {
                    unsettled = true;
                    // Two that try at the same time shall not meet again.
                    sleep(ASK_EVERY.mul_f64(fastrand::f64())).await;
                }
            }
        }
    }

    /// Takes a stripe for a receive if it can be had now; otherwise asks its owner for it.
    pub(crate) async fn seek(&self, queue: Uuid, shard: i32, want: Option<Want>) -> Result<()> {
        let stripe = self.stripe(stripe_of(queue, shard));
        // While others here work at it, it is for them to get it.
        let Ok(mut held) = stripe.held.clone().try_write_owned() else {
            return Ok(());
        };
        if self.is_mine(&held) {
            return Ok(());
        }
        let tried = self.try_take(stripe.number, &mut held, false).await?;
        drop(held);
        match (tried, want) {
            (Tried::Kept(_), Some(want)) => self.ask(queue, shard, want).await,
            _ => Ok(()),
        }
    }

    async fn ask(&self, queue: Uuid, shard: i32, want: Want) -> Result<()> {
        let ask = Notification {
            queue,
            shard,
            kind: 0,
            what: NotificationKind::Wanted,
            bucket: want.to_number(),
            token: Uuid::from_u128(fastrand::u128(..)),
        };
        self.storage
            .ring(doorbell_of(stripe_of(queue, shard)), ask)
            .await
    }

    /// Takes a stripe that nobody alive has.
    async fn try_take(&self, stripe: i16, held: &mut Held, unsettled: bool) -> Result<Tried> {
        match self.keep_alive().await {
            Err(error) if is_unsettled(&error) => return Ok(Tried::Unsettled),
            alive => alive?,
        }
        let Some(now) = self.owner_of(stripe, unsettled).await? else {
            return Ok(Tried::Unsettled);
        };
        match now.owner {
            Some(owner) if owner == self.process() => {
                // A transaction of ours whose answer was lost.
                self.taken(stripe, held, now).await?;
                return Ok(Tried::Taken);
            }
            Some(owner) => match self.failure_detector.look(&*self.storage, owner).await? {
                Life::Dead => {}
                life => return Ok(Tried::Kept(life)),
            },
            None => {}
        }
        if !self.try_own(stripe, now).await? {
            return Ok(Tried::Unsettled);
        }
        let ownership = Ownership {
            owner: Some(self.process()),
            epoch: now.epoch + 1,
        };
        self.taken(stripe, held, ownership).await?;
        Ok(Tried::Taken)
    }

    /// The owner of a stripe; `None` if that is not to be known now. A transaction of unknown
    /// outcome is finished by a serial read, and where a plain one, for which none has to wait,
    /// shows this process, one of ours may just be giving the stripe up.
    async fn owner_of(&self, stripe: i16, unsettled: bool) -> Result<Option<Ownership>> {
        let mut now = Ok(Ownership::default());
        if !unsettled {
            now = self.storage.seen_owner(stripe).await;
        }
        if unsettled
            || now
                .as_ref()
                .is_ok_and(|it| it.owner == Some(self.process()))
        {
            now = self.storage.owner(stripe).await;
        }
        match now {
            Err(error) if is_unsettled(&error) => Ok(None),
            now => now.map(Some),
        }
    }

    /// One transaction; a lost answer is found out by the next read.
    async fn try_own(&self, stripe: i16, from: Ownership) -> Result<bool> {
        match self.storage.own(stripe, from, Some(self.process())).await {
            Err(error) if is_unsettled(&error) => Ok(false),
            other => other,
        }
    }

    /// Notes a stripe as ours. What was rung before is in the rows that are read from now on.
    async fn taken(&self, stripe: i16, held: &mut Held, ownership: Ownership) -> Result<()> {
        let notifications = self.storage.notifications(doorbell_of(stripe)).await?;
        self.doorbells.hear(notifications);
        held.change(Some(ownership));
        Ok(())
    }
}
