//! One receive on its way from shard to shard.

use std::sync::{Arc, Weak};

use futures_util::future::{join_all, try_join_all};
use longshore_core::{Delivery, Lane, Received, Result, StoreError, Timestamp};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::cql::queue_def::QueueDef;
use crate::ownership::demand::Search;
use crate::ownership::rebalance::Want;
use crate::ownership::stripe::{Opened, stripe_of};
use crate::receive::{Pulled, broken_off};
use crate::shard::lease::{HandedOut, Order};
use crate::shard::redelivery::{self, Again};
use crate::store::Inner;

/// A receive as it goes from shard to shard.
pub(super) struct Pull<'a> {
    pub(super) inner: &'a Arc<Inner>,
    pub(super) def: &'a QueueDef,
    pub(super) order: Order,
    /// Dead once nobody waits for the receive any more.
    pub(super) asker: &'a Weak<()>,
    /// The turn at which it began.
    pub(super) first_turn: u64,
    /// Who owned the shards when it began.
    pub(super) process: Uuid,
    /// What was leased, and whose leases are not written yet.
    pub(super) begun: Vec<Begun>,
}

/// Messages of one shard that are leased in memory, and the write of their leases.
pub(super) struct Begun {
    stripe: i16,
    received: Received,
    landing: Option<JoinHandle<Result<()>>>,
    again: Vec<Again>,
}

impl Pull<'_> {
    pub(super) async fn run(&mut self, pulled: &mut Pulled) -> Result<()> {
        let shards = self.shards();
        let missing = self.take_own(&shards, pulled).await?;
        if self.has_some() {
            let (inner, queue) = (self.inner, self.def.queue);
            inner.claim_share(queue, missing);
            return Ok(());
        }
        let queue = self.def.queue;
        let stripes: Vec<_> = shards.iter().map(|it| stripe_of(queue, *it)).collect();
        self.inner.owner.listen(&stripes).await?;
        self.seek(&missing, pulled).await?;
        if self.has_some() {
            return Ok(());
        }
        // What was had a moment ago may be gone again.
        let missing = self.take_own(&shards, pulled).await?;
        pulled.is_whole = missing.is_empty();
        Ok(())
    }

    /// All shards, another one first each time.
    fn shards(&self) -> Vec<i32> {
        let (first, count) = (self.inner.next_turn() as i32, self.def.shards);
        (0..count)
            .map(|number| number.wrapping_add(first).rem_euclid(count))
            .collect()
    }

    fn has_some(&self) -> bool {
        let mut begun = self.begun.iter();
        begun.any(|begun| !begun.received.deliveries.is_empty())
    }

    /// Takes from the shards that are ours: of each lane its share of the turns, from whatever
    /// shard has it. Answers the others.
    async fn take_own(&mut self, shards: &[i32], pulled: &mut Pulled) -> Result<Vec<i32>> {
        let (mut missing, mut own) = (Vec::new(), Vec::new());
        pulled.next = None;
        // All are caught up with before a lane is believed to be empty.
        for shard in shards {
            match self.inner.owner.open_own(self.def.queue, *shard).await? {
                Some(opened) => own.push((*shard, self.look_into(opened, *shard, pulled).await?)),
                None => missing.push(*shard),
            }
        }
        if self.asker.strong_count() == 0 || self.order.max == 0 {
            return Ok(missing);
        }
        if let [(shard, _)] = own[..] {
            self.take_from(shard, None, pulled).await?;
            return Ok(missing);
        }
        for (shard, of_lanes) in self.divide(&own) {
            self.take_from(shard, Some(of_lanes), pulled).await?;
        }
        // Others were quicker, or what was there had expired.
        for (shard, there) in own {
            if self.order.max > 0 && (there != [0; 3] || !self.has_some()) {
                self.take_from(shard, None, pulled).await?;
            }
        }
        Ok(missing)
    }

    /// How many of each lane the shards are to give that have so many. Each lane begins with
    /// another shard each time.
    fn divide(&self, own: &[(i32, [usize; 3])]) -> Vec<(i32, [usize; 3])> {
        let turns = self.inner.owner.turns(self.def.queue);
        let mut there = [0; 3];
        for (_, of_lanes) in own {
            for lane in 0..3 {
                there[lane] += of_lanes[lane];
            }
        }
        let wanted = Lane::divide(turns.turn, self.order.max, there);
        let mut given: Vec<_> = own.iter().map(|(shard, _)| (*shard, [0; 3])).collect();
        for (lane, mut left) in wanted.into_iter().enumerate() {
            for step in 0..own.len() {
                let at = (turns.rounds[lane] as usize).wrapping_add(step) % own.len();
                let some = own[at].1[lane].min(left);
                given[at].1[lane] = some;
                left -= some;
            }
        }
        given.retain(|(_, of_lanes)| *of_lanes != [0; 3]);
        given
    }

    /// Tries to get shards that others have.
    async fn seek(&mut self, mut missing: &[i32], pulled: &mut Pulled) -> Result<()> {
        if missing.is_empty() {
            return Ok(());
        }
        let (owner, queue) = (self.inner.owner.clone(), self.def.queue);
        let (stays, has) = (self.inner.consumer_session.stays(), owner.has(queue));
        let want = match owner.demand.search(queue, stays, has) {
            Search::Rest => return Ok(()),
            Search::Look => None,
            Search::Ask(need) => Some(Want { need, has }),
        };
        // Who passes by wants some messages of any shard. Of several that come at the same time
        // each begins with another one, or they would contend for all of them.
        if let (false, [first, others @ ..]) = (stays, missing) {
            owner.seek(queue, *first, want).await?;
            self.take_own(&[*first], pulled).await?;
            if self.has_some() {
                return Ok(());
            }
            missing = others;
        }
        let sought = missing.iter().map(|shard| owner.seek(queue, *shard, want));
        try_join_all(sought).await.map(drop)
    }

    /// Catches up with a shard and answers how many messages of each lane it has ready.
    async fn look_into(
        &self,
        mut opened: Opened,
        number: i32,
        pulled: &mut Pulled,
    ) -> Result<[usize; 3]> {
        let Some(shard) = opened.shard.as_mut() else {
            return Ok([0; 3]);
        };
        let (owner, queue, now) = (&self.inner.owner, self.def.queue, self.inner.now());
        if let Some(news) = owner.news(queue, number).await? {
            shard.catch_up(news, now).await?;
        }
        let there = shard.ready_for(self.order.max, now).await?;
        pulled.next = earlier(pulled.next, shard.next_change(now));
        Ok(there)
    }

    async fn take_from(
        &mut self,
        number: i32,
        of_lanes: Option<[usize; 3]>,
        pulled: &mut Pulled,
    ) -> Result<()> {
        let (owner, queue, now) = (&self.inner.owner, self.def.queue, self.inner.now());
        // It may have been given up since it was looked into.
        let Some(mut opened) = owner.open_own(queue, number).await? else {
            return Ok(());
        };
        let Some(shard) = opened.shard.as_mut() else {
            return Ok(());
        };
        shard.index.turn = owner.turns(queue).turn;
        self.order.of_lanes = of_lanes;
        let HandedOut {
            received,
            write,
            again,
        } = shard.begin_hand_out(&self.order, now).await?;
        self.order.max -= received.deliveries.len();
        if !received.deliveries.is_empty() {
            let mut went = [0; 3];
            for one in &received.deliveries {
                went[usize::from(one.message.lane.number())] += 1;
            }
            owner.went(queue, went);
            owner.handed_out();
        }
        if let Some(ahead) = shard.ahead(now) {
            owner.prefetch(queue, number, ahead);
        }
        pulled.next = earlier(pulled.next, shard.next_change(now));
        // It lands whatever this receive waits for next: others wait until it has, and have what
        // this one waits for.
        let landing = write.map(|write| tokio::spawn(write.complete()));
        self.begun.push(Begun {
            stripe: stripe_of(queue, number),
            received,
            landing,
            again,
        });
        Ok(())
    }

    /// Waits until the leases are written. Only messages whose leases are written are handed out,
    /// and only if nobody can have taken the shards over by then: the next owner has read the
    /// leases.
    pub(super) async fn complete(self, pulled: &mut Pulled) -> Result<()> {
        let order = Lane::order_at(self.first_turn);
        let (owner, process) = (&self.inner.owner, self.process);
        let completed = self.begun.into_iter().map(|begun| async move {
            if let Some(landing) = begun.landing {
                landing.await.unwrap_or_else(|_| Err(broken_off()))?;
            }
            let mut received = begun.received;
            redelivery::withdraw(&*owner.storage, &mut received, &begun.again).await;
            let is_sure =
                received.deliveries.is_empty() || owner.has_still(begun.stripe, process).await;
            if !is_sure {
                tracing::warn!(
                    messages = received.deliveries.len(),
                    "leases were written too late to be sure of them; they are left to end"
                );
                received.deliveries.clear();
            }
            Ok::<_, StoreError>(received)
        });
        let mut done = Ok(());
        for received in join_all(completed).await {
            match received {
                Ok(received) => {
                    pulled.received.deliveries.extend(received.deliveries);
                    pulled.received.set_aside += received.set_aside;
                }
                Err(error) => done = Err(error),
            }
        }
        // Lane by lane, in the order of the first turn.
        let rank = |one: &Delivery| order.iter().position(|lane| *lane == one.message.lane);
        pulled.received.deliveries.sort_by_key(rank);
        done
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}
