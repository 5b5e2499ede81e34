//! This process as an owner of stripes.

use std::collections::HashMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_core::{Clock, Result};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use crate::ownership::demand::Demand;
use crate::ownership::doorbell::Doorbells;
use crate::ownership::failure_detector::{DEAD_AFTER, FailureDetector};
use crate::ownership::stripe::{Held, Opened, Stripe, stripe_of};
use crate::protocol::hybrid_clock::Hybrid;
use crate::protocol::storage::{Bucket, MessageRow, Storage};
use crate::shard::Shard;
use crate::shard::load::window::Window;

/// This process among those of a cell.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hybrid: Arc<Hybrid>,
    /// How much of each of its shards is in memory.
    pub(crate) window: Window,
    pub(crate) doorbells: Doorbells,
    pub(crate) demand: Demand,
    /// Rung when something may be handed out that could not before.
    pub(crate) changed: Notify,
    stripes: Mutex<HashMap<i16, Arc<Stripe>>>,
    pub(crate) failure_detector: FailureDetector,
    pub(crate) beats: AtomicI64,
    /// Held while a sign of life is given.
    pub(crate) beating: tokio::sync::Mutex<()>,
    last: Mutex<Last>,
    /// By queue.
    turns: Mutex<HashMap<Uuid, Turns>>,
}

/// What decides whose turn it is in a queue.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns {
    /// How many messages were handed out: which lane goes first.
    pub(crate) turn: u64,
    /// How many receives took from each lane: which shard gives first. Each lane goes round by
    /// itself, or one that is served rarely would meet the same shard each time.
    pub(crate) rounds: [u64; 3],
}

/// Maximum queues whose turns are counted; the counts are cleared when full.
const TURNS_MAX: usize = 10_000;

/// When something happened last.
#[derive(Debug)]
pub(crate) struct Last {
    /// This process, until others declare it dead: then it goes on as a new one.
    pub(crate) process: Uuid,
    /// The start of the last beat that was acknowledged.
    pub(crate) beat: Option<Instant>,
    pub(crate) handed: Instant,
}

impl Owner {
    pub(crate) fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self {
            window: Window::OWNER,
            storage,
            clock,
            hybrid: Arc::default(),
            doorbells: Doorbells::default(),
            demand: Demand::default(),
            changed: Notify::new(),
            stripes: Mutex::default(),
            failure_detector: FailureDetector::default(),
            beats: AtomicI64::new(0),
            beating: tokio::sync::Mutex::default(),
            last: Mutex::new(Last {
                process: Uuid::from_u128(fastrand::u128(..)),
                beat: None,
                handed: Instant::now(),
            }),
            turns: Mutex::default(),
        }
    }

    pub(crate) fn stripe(&self, number: i16) -> Arc<Stripe> {
        let mut stripes = self.stripes.lock().unwrap_or_else(PoisonError::into_inner);
        let stripe = stripes.entry(number);
        stripe
            .or_insert_with(|| Arc::new(Stripe::new(number)))
            .clone()
    }

    pub(crate) fn stripes(&self) -> Vec<Arc<Stripe>> {
        let stripes = self.stripes.lock().unwrap_or_else(PoisonError::into_inner);
        stripes.values().cloned().collect()
    }

    /// Those that were ours when they were looked at last, without the ones that change hands.
    pub(crate) fn held_now(&self) -> Vec<Arc<Stripe>> {
        let mut held = self.stripes();
        held.retain(|stripe| {
            let held = stripe.held.try_read();
            held.is_ok_and(|held| held.ownership.is_some())
        });
        held
    }

    pub(crate) fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that messages were handed out.
    pub(crate) fn handed_out(&self) {
        self.last().handed = Instant::now();
    }

    /// Whose turn it is in a queue.
    pub(crate) fn turns(&self, queue: Uuid) -> Turns {
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.get(&queue).copied().unwrap_or_default()
    }

    /// Counts messages of each lane that one receive handed out.
    pub(crate) fn went(&self, queue: Uuid, of_lanes: [usize; 3]) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= TURNS_MAX {
            turns.clear();
        }
        let turns = turns.entry(queue).or_default();
        for (lane, went) in of_lanes.into_iter().enumerate() {
            turns.turn = turns.turn.wrapping_add(went as u64);
            turns.rounds[lane] += u64::from(went > 0);
        }
    }

    /// For how long nothing was handed out.
    pub(crate) fn quiet_for(&self) -> Duration {
        self.last().handed.elapsed()
    }

    pub(crate) fn process(&self) -> Uuid {
        self.last().process
    }

    pub(crate) fn is_mine(&self, held: &Held) -> bool {
        let process = self.process();
        let ours = held.ownership.is_some_and(|it| it.owner == Some(process));
        ours && self.is_still(process)
    }

    /// Whether nobody can have declared this process dead since it was this one: what it wrote so
    /// far was there before anybody took over from it.
    pub(crate) fn is_still(&self, process: Uuid) -> bool {
        let (now, beat) = {
            let last = self.last();
            (last.process, last.beat)
        };
        now == process && beat.is_some_and(|at| at.elapsed() < DEAD_AFTER.mul_f64(0.8))
    }

    /// The same for a stripe, certainly: where the signs of life are not enough, its row is read.
    pub(crate) async fn has_still(&self, stripe: i16, process: Uuid) -> bool {
        if self.is_still(process) {
            return true;
        }
        let ownership = self.storage.owner(stripe).await;
        self.process() == process && ownership.is_ok_and(|it| it.owner == Some(process))
    }

    /// Opens a shard that is ours already.
    pub(crate) async fn open_own(&self, queue: Uuid, shard: i32) -> Result<Option<Opened>> {
        let stripe = self.stripe(stripe_of(queue, shard));
        let held = stripe.held.clone().read_owned().await;
        if !self.is_mine(&held) {
            return Ok(None);
        }
        let mut slot = held.slot(queue, shard).lock_owned().await;
        if slot.as_ref().is_none_or(Shard::is_doubted) {
            if let Some(doubted) = slot.take() {
                doubted.in_flight_writes.all_completed().await;
            }
            self.doorbells.take(queue, shard);
            *slot = Some(self.load(queue, shard).await?);
        }
        Ok(Some(Opened {
            shard: slot,
            _held: held,
        }))
    }

    /// Passes messages that this process stored on to the shard in its memory, if the shard is
    /// ours. While a stripe changes hands nobody knows, and the doorbell is the way.
    pub(crate) fn pass_on(&self, bucket: Bucket, rows: Vec<MessageRow>) -> bool {
        let stripe = self.stripe(stripe_of(bucket.stream.queue, bucket.stream.shard));
        let Ok(held) = stripe.held.try_read() else {
            return false;
        };
        if !self.is_mine(&held) {
            return false;
        }
        self.doorbells.arrived(bucket, rows);
        self.changed.notify_waiters();
        true
    }

    /// Reads a shard that another process may work at meanwhile.
    pub(crate) async fn look(&self, queue: Uuid, shard: i32) -> Result<Shard> {
        let mut shard = self.unread(queue, shard, Window::LOOK);
        shard.look(self.clock.now()).await?;
        Ok(shard)
    }

    /// Reads a shard of ours, as far as the window goes.
    async fn load(&self, queue: Uuid, shard: i32) -> Result<Shard> {
        let mut shard = self.unread(queue, shard, self.window);
        shard.begin(self.clock.now()).await?;
        Ok(shard)
    }

    fn unread(&self, queue: Uuid, shard: i32, window: Window) -> Shard {
        let (rows, hybrid) = (self.storage.clone(), self.hybrid.clone());
        Shard::unread(rows, queue, shard, hybrid, window)
    }
}
