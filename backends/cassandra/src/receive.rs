//! Receiving: from the shards of a queue that this process has or can get.

mod pull;

use std::sync::{Arc, Weak};

use futures_util::future::try_join_all;
use longshore_core::{QueueName, Receive, Received, Result, StoreError, StoreErrorKind, Timestamp};
use uuid::Uuid;

use crate::ownership::rebalance::{Need, Want};
use crate::receive::pull::Pull;
use crate::shard::lease::Order;
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
