//! Owners as they are shipped: processes that take a stripe, keep it with signs of life, lose it
//! and give it up, and hand out what lies in its shard meanwhile.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Disposition, QueueSettings, Result, Settled};
use tokio::time::sleep;

use super::actors::{Actor, CALM, LEASE, QUEUE};
use super::process::ON_TIME;
use super::weather::STORM;
use crate::ownership::process::Owner;
use crate::ownership::rebalance::{Need, Want};
use crate::ownership::stripe::stripe_of;
use crate::protocol::receipt::DeliveryTag;
use crate::shard::lease::Order;
use crate::shard::load::window::Window;

/// How long after the storm all leases that were given in it are over, and all doubts.
const SETTLED_AFTER: Duration = Duration::from_secs(90);

/// Less than what is stored: it is read on as it is worked off.
const SMALL: Window = Window {
    ready: 4,
    held: 16,
    soon: 8,
    far: 4,
    part: 2,
};

impl Actor {
    /// Works the queue as a worker does.
    pub(super) async fn serve(self) {
        let mut owner = Owner::new(self.storage.clone(), self.process.clock());
        if self.process.one_of(2) == 0 {
            owner.window = SMALL;
        }
        let owner = Arc::new(owner);
        while self.process.network.elapsed() < STORM + CALM {
            // What fails is tried again, as in the tasks behind a store.
            let _ = self.look(&owner).await;
            let most = if self.is_storm() { 3000 } else { 120_000 };
            sleep(self.process.some_time(most)).await;
            self.process.step().await;
        }
    }

    /// One look, one batch.
    async fn look(&self, owner: &Arc<Owner>) -> Result<()> {
        owner.keep_alive().await?;
        owner.listen(&[stripe_of(QUEUE, 0)]).await?;
        let opened = if self.process.one_of(3) == 0 {
            // As an operator's call does.
            owner.open(QUEUE, 0, self.process.some_time(3000)).await?
        } else {
            let (need, has) = (Need::Starving, owner.has(QUEUE));
            owner.seek(QUEUE, 0, Some(Want { need, has })).await?;
            owner.open_own(QUEUE, 0).await?
        };
        let Some(mut opened) = opened else {
            return Ok(());
        };
        let Some(shard) = opened.shard.as_mut() else {
            return Ok(());
        };
        if let Some(news) = owner.doorbells.take(QUEUE, 0) {
            shard.catch_up(news, self.process.now()).await?;
        }
        let order = Order {
            max: 1 + self.process.one_of(5),
            lease: LEASE,
            of_lanes: None,
            settings: QueueSettings::default(),
        };
        // Leases count from here, however long it takes to write them.
        let since = self.process.network.elapsed();
        let received = shard.hand_out(&order, self.process.now()).await?;
        self.process.step().await;
        let tags = self.delivered(received);
        self.note_doubles(&tags, since);
        let ahead = shard.ahead(self.process.now());
        drop(opened);
        let read = match ahead {
            Some(ahead) => Some(ahead.read(&*self.storage).await?),
            None => None,
        };
        if let Some(end) = self.end_of(&tags).await {
            let settled = self.settle(owner, &tags, &end).await;
            self.ended(&tags, &end, settled);
            self.note(|history| {
                for tag in &tags {
                    history.in_hands.remove(&tag.position.id);
                }
            });
        }
        if let Some(mut opened) = owner.open_own(QUEUE, 0).await?
            && let Some(shard) = opened.shard.as_mut()
        {
            if let Some(read) = read {
                shard.ingest_prefetched(read, self.process.now()).await?;
            }
            self.maintain(shard).await;
        }
        if self.process.one_of(30) == 0 {
            owner.give_up_all().await?;
        }
        Ok(())
    }

    /// Notes deliveries while another one of the message runs. In calm weather, among processes
    /// whose clocks are right, there are none.
    fn note_doubles(&self, tags: &[DeliveryTag], since: Duration) {
        let now = self.process.network.elapsed();
        let counts = self.process.is_on_time() && now > STORM + SETTLED_AFTER;
        self.note(|history| {
            for tag in tags {
                let until = history.in_hands.insert(tag.position.id, since + LEASE);
                let is_double = until.is_some_and(|until| until > now + 2 * ON_TIME);
                history.delivered_twice += u32::from(counts && is_double);
            }
        });
    }

    async fn settle(
        &self,
        owner: &Arc<Owner>,
        tags: &[DeliveryTag],
        end: &Disposition,
    ) -> Result<Vec<Settled>> {
        if let Some(mut opened) = owner.open_own(QUEUE, 0).await?
            && let Some(shard) = opened.shard.as_mut()
        {
            let items: Vec<_> = tags.iter().map(|tag| (*tag, end)).collect();
            let settings = QueueSettings::default();
            let begun = shard.begin_settle(&items, &settings, self.process.now());
            let (outcomes, write) = begun.await?;
            // Others may work on the shard meanwhile.
            drop(opened);
            if let Some(write) = write {
                write.complete().await?;
            }
            return Ok(outcomes);
        }
        self.settle_from_afar(tags, end).await
    }
}
