//! One run: up to four processes append, close and release for ten minutes of faults, and the last
//! one ends what is left in the calm after it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use longshore_core::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateSnapshot, Appended,
    ClosedEpoch, EpochChange, EpochShard, EpochState, Fate, MessageId, PartHead, Result, Timestamp,
    Turn,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::log_faults::{BrokenLog, LogFault};
use super::network::Network;
use super::partition::Place;
use super::process::Process;
use super::rows::Simulated;
use super::virtual_time::in_virtual_time;
use super::weather::{STORM, millis};
use crate::aggregate::bounds::Bounds;
use crate::aggregate::homes::Homes;
use crate::aggregate::log::Log;
use crate::aggregate::pull::{Peer, note_acknowledged};
use crate::aggregate::record::{Command, ReceiptBytes};
use crate::aggregate::replica::Reply;
use crate::aggregate::storage::{LogId, LogStorage, PartRow, page_of};
use crate::aggregate::submit::SharedLog;

pub(super) const LOG: LogId = LogId {
    aggregate: Uuid::nil(),
    shard: 0,
};
const LEASE: Duration = Duration::from_secs(20);
/// Parts that each process appends.
const PARTS: u64 = 24;

/// Turns that one look at the calm end takes.
const TURNS_MAX: usize = 50;

/// What was seen from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    acknowledged: BTreeSet<MessageId>,
    /// The parts of each message that was released, by the id of the message.
    released: BTreeMap<MessageId, BTreeSet<MessageId>>,
    pub(super) wrong: Vec<String>,
    pub(super) snapshots: usize,
    pub(super) pages_deleted: usize,
}

/// A process that works with the log.
pub(super) struct Actor {
    pub(super) process: Arc<Process>,
    log: Arc<SharedLog>,
    seen: Arc<Mutex<Seen>>,
    number: u64,
    /// The cell, where keys are collected, and the other cell as it is seen from here.
    cell: i16,
    homes: Homes,
    peer: Option<Peer>,
}

pub(super) fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn rules(number: usize) -> AggregateRules {
    let mut rules = AggregateRules::default();
    // Longer than any repeat of a part is away.
    rules.remember_ms = 3_600_000;
    match number {
        0 => rules.size = Some(3),
        1 => rules.idle_ms = Some(4_000),
        _ => rules.at_most_ms = Some(30_000),
    }
    rules
}

impl Actor {
    pub(super) fn new(
        process: Arc<Process>,
        fault: Option<LogFault>,
        seen: &Arc<Mutex<Seen>>,
        number: u64,
        generation: u64,
    ) -> Self {
        let rows = Simulated(process.clone());
        let storage: Arc<dyn LogStorage> = match fault {
            Some(fault) => Arc::new(BrokenLog::new(rows, fault)),
            None => Arc::new(rows),
        };
        let log = SharedLog::new(Log {
            storage,
            clock: process.clock(),
            id: LOG,
            name: AggregateName::new("orders").expect("a name"),
            generation,
            shard: EpochShard::WHOLE,
            bounds: Bounds {
                tail_bytes: 2_000,
                tail_records: 12,
                patience: 6,
                piece_bytes: 700,
            },
        });
        Self {
            process,
            log,
            seen: seen.clone(),
            number,
            cell: 0,
            homes: Homes::alone(0),
            peer: None,
        }
    }

    /// The same in a cell beside another one.
    pub(super) fn beside(mut self, cell: i16, homes: Homes, peer: Peer) -> Self {
        (self.cell, self.homes, self.peer) = (cell, homes, Some(peer));
        self
    }

    /// Appends parts, each until it is acknowledged.
    pub(super) async fn produce(&self) {
        for index in 0..PARTS {
            sleep(self.process.some_time(40_000)).await;
            let count = self.process.one_of(3) + 1;
            let ids: Vec<_> = (0..count).map(|part| self.part_id(index, part)).collect();
            let key = AggregateKey::new(format!("k{}", self.process.one_of(4))).expect("a key");
            let rules = rules(self.process.one_of(3));
            let heads = ids.iter().map(|id| PartHead {
                key: key.clone(),
                closing: false,
                position: Timestamp::from_millis(1),
                id: *id,
                bytes: 16,
            });
            let heads: Vec<_> = heads.collect();
            let row = |id: &MessageId| PartRow {
                head: bytes::Bytes::new(),
                body: bytes::Bytes::copy_from_slice(id.as_uuid().as_bytes()),
            };
            for attempt in 0.. {
                let command = self.append(&key, &rules, &heads);
                let rows = ids.iter().map(row).collect();
                if let Ok(reply) = self.log.submit(command, rows).await {
                    let mut seen = locked(&self.seen);
                    seen.acknowledged.extend(&ids);
                    // Nobody sent them before.
                    if let Reply::Appended(appends) = reply
                        && attempt == 0
                        && appends.outcomes.contains(&Appended::Duplicate)
                    {
                        let said = format!("new parts are taken for known ones: {}", ids[0]);
                        seen.wrong.push(said);
                    }
                    break;
                }
                if self.process.network.elapsed() > STORM * 2 {
                    let said = format!("part {} is never acknowledged", ids[0]);
                    locked(&self.seen).wrong.push(said);
                    return;
                }
                sleep(Duration::from_millis(500)).await;
            }
        }
    }

    fn append(&self, key: &AggregateKey, rules: &AggregateRules, parts: &[PartHead]) -> Command {
        let (to, rules, parts) = (self.homes.of(key), rules.clone(), parts.to_vec());
        if to == self.cell {
            Command::Append(rules, parts)
        } else {
            Command::Forward { to, rules, parts }
        }
    }

    fn part_id(&self, index: u64, part: usize) -> MessageId {
        let number = u128::from(self.number) << 64 | u128::from(index) << 8 | part as u128;
        MessageId::from_uuid(Uuid::from_u128(number))
    }

    /// Takes turns until the storm is over.
    pub(super) async fn close(&self) {
        while self.process.network.elapsed() < STORM {
            sleep(self.process.some_time(4_000)).await;
            // What fails is handed out again.
            let _ = self.turn().await;
            if self.process.one_of(12) == 0 {
                let _ = self.force(3).await;
            }
        }
    }

    async fn turn(&self) -> Result<bool> {
        if let Some(peer) = &self.peer {
            // What cannot be taken now is taken later.
            let _ = peer.pull(self.cell, &self.log).await;
            let _ = note_acknowledged(&self.log).await;
        }
        let now = self.process.now();
        let due = self.log.look(|replica| {
            let next = replica.state.next();
            next.is_some_and(|at| at <= replica.time(now))
        });
        if !due.await? {
            return Ok(false);
        }
        let turn = Turn {
            max: NonZeroU32::new(4).expect("not zero"),
            lease: LEASE,
        };
        if let Reply::Turned(turned) = self.log.submit(Command::Turn(turn), Vec::new()).await? {
            for closed in turned.closed {
                let _ = self.release(closed).await;
            }
        }
        Ok(true)
    }

    async fn release(&self, closed: ClosedEpoch) -> Result<()> {
        let (key, epoch) = (&closed.info.key, closed.info.epoch);
        let spots = self
            .log
            .look(|replica| replica.state.parts(key, epoch, None, NonZeroU32::MAX).items)
            .await?;
        let mut parts = BTreeSet::new();
        for (place, spot) in &spots {
            let rows = &self.log.log.storage;
            let found = rows
                .parts(LOG, (spot.seq, spot.record), &[spot.row])
                .await?;
            match found.first() {
                Some((_, row)) if row.body == place.id.as_uuid().as_bytes()[..] => {
                    parts.insert(place.id);
                }
                _ if self.is_gone(&closed).await? => return Ok(()),
                found => {
                    let said = format!("part {} of epoch {epoch} is {found:?}", place.id);
                    locked(&self.seen).wrong.push(said);
                    return Ok(());
                }
            }
        }
        if parts.len() != closed.info.parts as usize {
            if !self.is_gone(&closed).await? {
                let said = format!("epoch {epoch} has {} parts: {closed:?}", parts.len());
                locked(&self.seen).wrong.push(said);
            }
            return Ok(());
        }
        self.process.step().await;
        locked(&self.seen).released(closed.id, parts);
        let done = vec![(ReceiptBytes::from(&closed.receipt), Fate::Released)];
        self.log.submit(Command::Finish(done), Vec::new()).await?;
        Ok(())
    }

    async fn is_gone(&self, closed: &ClosedEpoch) -> Result<bool> {
        let (key, epoch) = (&closed.info.key, closed.info.epoch);
        let left = self
            .log
            .look(|replica| replica.state.parts(key, epoch, None, NonZeroU32::MIN).items);
        Ok(left.await?.is_empty())
    }

    /// Closes open epochs, as an operator does.
    async fn force(&self, max: usize) -> Result<()> {
        let now = self.process.now();
        let epochs = self.log.look(|replica| {
            let page = replica.state.epochs(None, None, NonZeroU32::MAX, now);
            page.items
        });
        let is_open = |state: &EpochState| matches!(state, EpochState::Open { .. });
        let open = epochs
            .await?
            .into_iter()
            .filter(|info| is_open(&info.state));
        let open = open.map(|info| (info.key, info.epoch, EpochChange::Close));
        let changes: Vec<_> = open.take(max).collect();
        if !changes.is_empty() {
            self.log
                .submit(Command::Change(changes), Vec::new())
                .await?;
        }
        Ok(())
    }

    /// Ends all that is left, in calm weather; what there is then.
    pub(super) async fn finish(&self) -> Result<AggregateInfo> {
        for _ in 0..60 {
            self.force(usize::MAX).await?;
            let mut turns = 0;
            while turns < TURNS_MAX && self.turn().await? {
                turns += 1;
            }
            sleep(LEASE).await;
        }
        self.log.look(|replica| replica.state.info()).await
    }
}

impl Seen {
    fn released(&mut self, message: MessageId, parts: BTreeSet<MessageId>) {
        match self.released.get(&message) {
            Some(before) if *before != parts => {
                self.wrong.push(format!(
                    "{message} was released of {before:?} and of {parts:?}"
                ));
            }
            Some(_) => {}
            None => {
                self.released.insert(message, parts);
            }
        }
    }

    pub(super) fn judge(&mut self, info: &AggregateInfo) {
        let mut times: BTreeMap<MessageId, usize> = BTreeMap::new();
        for part in self.released.values().flatten() {
            *times.entry(*part).or_default() += 1;
        }
        for part in &self.acknowledged {
            match times.get(part).copied().unwrap_or_default() {
                1 => {}
                times => self
                    .wrong
                    .push(format!("part {part} was released {times} times")),
            }
        }
        let twice = times.iter().filter(|(_, times)| **times > 1).count();
        if twice > 0 {
            self.wrong
                .push(format!("{twice} parts were released twice"));
        }
        if !info.is_balanced() || info.released != info.accepted {
            self.wrong
                .push(format!("the numbers do not add up: {info:?}"));
        }
        if info.accepted != times.len() as u64 {
            let said = format!("{} accepted, {} released", info.accepted, times.len());
            self.wrong.push(said);
        }
    }
}

/// Plays a seed; with a fault, all processes have it.
pub(super) fn play(run: u64, fault: Option<LogFault>) -> Seen {
    in_virtual_time(async {
        fastrand::seed(run);
        let mut rng = Rng::with_seed(run);
        let network = Arc::new(Network::new(&mut rng));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut number = 0;
        let mut actor = |rng: &mut Rng| {
            number += 1;
            let process = Process::new(&network, rng);
            Arc::new(Actor::new(process, fault, &seen, number, 1))
        };
        let last = actor(&mut rng);
        let others: Vec<_> = (0..rng.usize(1..4)).map(|_| actor(&mut rng)).collect();
        let mut tasks = Vec::new();
        let mut doomed = Vec::new();
        for other in &others {
            let (producer, closer) = (other.clone(), other.clone());
            doomed.push(tokio::spawn(async move { producer.produce().await }));
            doomed.push(tokio::spawn(async move { closer.close().await }));
            if rng.bool() {
                let (process, dies) = (other.process.clone(), STORM.as_millis() as u64);
                let dies = millis(&mut rng, dies);
                tasks.push(tokio::spawn(async move {
                    sleep(dies).await;
                    process.kill();
                }));
            }
        }
        let (producer, closer) = (last.clone(), last.clone());
        tasks.push(tokio::spawn(async move { producer.produce().await }));
        tasks.push(tokio::spawn(async move { closer.close().await }));
        for ended in join_all(tasks).await {
            ended.expect("no task panics");
        }
        for (task, of) in doomed
            .into_iter()
            .zip(others.iter().flat_map(|it| [it, it]))
        {
            if of.process.is_killed() {
                task.abort();
            } else {
                task.await.expect("no task panics");
            }
        }
        let fresh = actor(&mut rng);
        match fresh.finish().await {
            Ok(info) => locked(&seen).judge(&info),
            Err(error) => locked(&seen).wrong.push(format!("calm weather: {error}")),
        }
        compare(&last, &fresh).await;
        left_over(&network, &fresh).await;
        let mut seen = locked(&seen);
        std::mem::take(&mut *seen)
    })
}

/// A process that was there all the time knows the same as one that is new.
async fn compare(last: &Actor, fresh: &Actor) {
    let view = |actor: &Actor| {
        let log = actor.log.clone();
        async move {
            let look = log.look(|replica| (replica.head, AggregateSnapshot::of(&replica.state)));
            look.await.map_err(|error| error.to_string())
        }
    };
    let (of_last, of_fresh) = (view(last).await, view(fresh).await);
    if of_last.is_err() || of_last != of_fresh {
        let said = "two replicas differ".to_owned();
        locked(&fresh.seen).wrong.push(said);
    }
}

/// Rows that nothing will ever read or delete.
async fn left_over(network: &Network, fresh: &Actor) {
    let looked = fresh
        .log
        .look(|replica| (replica.head, replica.kept().clone()));
    let Ok((head, kept)) = looked.await else {
        return;
    };
    let mut seen = locked(&fresh.seen);
    seen.snapshots = usize::from(head.snapshot.is_some());
    seen.pages_deleted = (page_of(head.seq) + 1) as usize - kept.pages.len();
    for place in network.places() {
        let is_known = match place {
            Place::LogPage(_, page) | Place::LogParts(_, page) => {
                // A record that is not chosen may be on the next page.
                kept.pages.contains(&page) || page > page_of(head.seq)
            }
            Place::LogSnapshot(_, id) => {
                kept.announced.contains_key(&id)
                    || kept.doomed.contains(&id)
                    || kept.adopted.is_some_and(|(adopted, _)| adopted == id)
            }
            _ => true,
        };
        if !is_known {
            seen.wrong.push(format!("{place:?} is left over"));
        }
    }
}
