//! Receiving: from the shards of a queue that this process has or can get.

use std::sync::{Arc, Weak};

use futures_util::future::{join_all, try_join_all};
use longshore_core::{
    Delivery, Lane, QueueName, Receive, Received, Result, StoreError, StoreErrorKind, Timestamp,
};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::cql::queue_def::QueueDef;
use crate::ownership::demand::Search;
use crate::ownership::rebalance::{Need, Want};
use crate::ownership::stripe::{Opened, stripe_of};
use crate::shard::lease::{HandedOut, Order};
use crate::shard::redelivery::{self, Again};
use crate::store::{CassandraStore, Inner};

/// What one look at a queue found.
#[derive(Debug)]
pub(crate) struct Pulled {
    pub(crate) received: Received,
    /// The queue, unless it does not exist or nothing is handed out of it.
    pub(crate) queue: Option<Uuid>,
    /// When time will change something.
    pub(crate) next: Option<Timestamp>,
    /// Whether all shards were looked at.
    pub(crate) is_whole: bool,
}

impl Default for Pulled {
    fn default() -> Self {
        Self {
            received: Received::default(),
            queue: None,
            next: None,
            is_whole: true,
        }
    }
}

impl CassandraStore {
    /// One look, in a task of its own: what it leases is handed out or leased to nobody.
    pub(crate) async fn pull(&self, queue: &QueueName, request: Receive) -> Result<Pulled> {
        // A caller that stopped waiting takes nothing: the task looks whether this lives.
        let caller = Arc::new(());
        let asker = Arc::downgrade(&caller);
        let (inner, queue) = (self.inner.clone(), queue.clone());
        let pulled = tokio::spawn(async move {
            let mut pulled = Pulled::default();
            let done = inner.pull(&queue, request, &asker, &mut pulled).await;
            let has_some = !pulled.received.deliveries.is_empty();
            let stays =
                inner.consumer_session.is_resident() || !has_some && inner.consumer_session.stays();
            if !stays {
                // What fails is given up when this process is idle, or taken for dead.
                let _ = inner.owner.give_up_all().await;
            }
            match done {
                // What is leased is handed out, whatever happened after.
                Err(error) if pulled.received.deliveries.is_empty() => Err(error),
                _ => Ok(pulled),
            }
        });
        let pulled = pulled.await;
        drop(caller);
        pulled.unwrap_or_else(|_| Err(broken_off()))
    }
}

/// A receive as it goes from shard to shard.
struct Pull<'a> {
    inner: &'a Arc<Inner>,
    def: &'a QueueDef,
    order: Order,
    /// Dead once nobody waits for the receive any more.
    asker: &'a Weak<()>,
    /// The turn at which it began.
    first_turn: u64,
    /// Who owned the shards when it began.
    process: Uuid,
    /// What was leased, and whose leases are not written yet.
    begun: Vec<Begun>,
}

/// Messages of one shard that are leased in memory, and the write of their leases.
struct Begun {
    stripe: i16,
    received: Received,
    landing: Option<JoinHandle<Result<()>>>,
    again: Vec<Again>,
}

fn broken_off() -> StoreError {
    let words =
        "a task of this program was broken off; its messages come back when their leases end";
    StoreError::new(StoreErrorKind::Unexpected, "receive", words).effect_unknown()
}

impl Inner {
    async fn pull(
        self: &Arc<Self>,
        name: &QueueName,
        request: Receive,
        asker: &Weak<()>,
        pulled: &mut Pulled,
    ) -> Result<()> {
        let Some(def) = self.catalog.get(name).await? else {
            return Ok(());
        };
        if def.is_held() {
            return Ok(());
        }
        pulled.queue = Some(def.queue);
        let _eating = self.owner.demand.begin_receive(def.queue);
        let order = Order {
            max: request.batch_max.get() as usize,
            lease: request.lease,
            of_lanes: None,
            settings: def.settings.clone(),
        };
        let mut pull = Pull {
            inner: self,
            def: &def,
            order,
            asker,
            first_turn: self.owner.turns(def.queue).turn,
            process: self.owner.process(),
            begun: Vec::new(),
        };
        let done = pull.run(pulled).await;
        let completed = pull.complete(pulled).await;
        if !pulled.received.deliveries.is_empty() {
            self.owner.demand.served(def.queue);
        }
        done.and(completed)
    }

    /// Asks for the missing part of what this process should have of a queue.
    fn claim_share(self: &Arc<Self>, queue: Uuid, missing: Vec<i32>) {
        if missing.is_empty() || !self.consumer_session.is_resident() {
            return;
        }
        if !self.owner.demand.is_share_due(queue) {
            return;
        }
        let owner = self.owner.clone();
        let want = Want {
            need: Need::Share,
            has: owner.has(queue),
        };
        tokio::spawn(async move {
            let sought = missing
                .iter()
                .map(|shard| owner.seek(queue, *shard, Some(want)));
            // What failed is tried again by the next one.
            let _ = try_join_all(sought).await;
        });
    }
}

impl Pull<'_> {
    async fn run(&mut self, pulled: &mut Pulled) -> Result<()> {
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
    async fn complete(self, pulled: &mut Pulled) -> Result<()> {
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
