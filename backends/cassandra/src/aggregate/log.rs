//! One shard of an aggregate: a log of calls, and this process's replica of what they add up to.
//!
//! A call is one record, shared with the calls that wait beside it. The record and its parts are
//! written first; they count once the head names them, which one lightweight transaction decides. So
//! any process may make a call at any time: of several that write record *n* + 1, one is chosen, and
//! the others read it, play it, and try again behind it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join;
use longshore_core::{
    AggregateName, Clock, Effect, EpochShard, Result, StoreError, StoreErrorKind,
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::aggregate::bounds::Bounds;
use crate::aggregate::record::{Command, Record, decode, encode};
use crate::aggregate::replica::{Replica, Reply};
use crate::aggregate::storage::{Head, LogId, LogStorage, PartRow, RecordRow, page_of};
use crate::cql::queue_catalog::contended;

/// How long a record that others overtake is written again and again.
const TRIED_FOR: Duration = Duration::from_secs(10);
/// The longest pause between two tries: several that meet shall not meet again.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// How often it is asked what became of a swap of which nobody knows.
const DOUBT_TRIES: usize = 8;
/// How often a log is read that is being cut off behind a newer snapshot.
const READ_TRIES: usize = 5;
/// A pause between two tries.
const PAUSE: Duration = Duration::from_millis(8);

/// A shard of an aggregate as this process works with it.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) storage: Arc<dyn LogStorage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) id: LogId,
    pub(crate) name: AggregateName,
    pub(crate) generation: u64,
    pub(crate) shard: EpochShard,
    pub(crate) bounds: Bounds,
}

/// Commands to be stored as one record, and the parts of those that append.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) commands: Vec<Command>,
    pub(crate) parts: Vec<PartRow>,
}

/// What became of a swap.
enum Swapped {
    /// The head names the record.
    Applied,
    /// The head names another one of its number, or a later one: in doubt, whether it is in the log.
    Overtaken { in_doubt: bool },
}

impl Log {
    /// Stores a batch as the next record; one reply for each command, in order. `fill` may add to it
    /// before each try: where others overtake this process, more calls go at once. An error says
    /// whether the batch certainly had no effect.
    pub(super) async fn commit(
        &self,
        replica: &mut Option<Replica>,
        batch: &mut Batch,
        mut fill: impl FnMut(&mut Batch) + Send,
    ) -> Result<Vec<Reply>> {
        // The record of which it is not known whether it is in the log.
        let mut doubt: Option<(i64, Uuid)> = None;
        let (began, mut pause) = (Instant::now(), Duration::ZERO);
        while began.elapsed() < TRIED_FOR {
            if !pause.is_zero() {
                sleep(pause.mul_f64(fastrand::f64())).await;
            }
            let refreshed = match replica {
                Some(_) if pause.is_zero() => Ok(None),
                _ => self.refresh(replica, doubt).await,
            };
            pause = (pause * 2).clamp(PAUSE, PAUSE_MAX);
            match refreshed {
                Ok(None) => doubt = None,
                Ok(Some(replies)) => return Ok(replies),
                // Transactions that get in each other's way time out; so do reads of their outcome.
                Err(error) if error.is_retryable() && !is_past(replica.as_ref(), doubt) => {
                    continue;
                }
                Err(error) => return Err(in_doubt(error, doubt)),
            }
            let Some(known) = replica else { continue };
            fill(batch);
            if batch.commands.is_empty() {
                return Ok(Vec::new());
            }
            let (row, record) = self.next(known, batch)?;
            self.write(&row, &batch.parts).await.map_err(unapplied)?;
            let to = known.head_with(&row, &batch.commands);
            match self.swap(known.head, to).await {
                Ok(Swapped::Applied) => return Ok(known.apply(&row, &record)),
                Ok(Swapped::Overtaken { in_doubt }) => {
                    doubt = in_doubt.then_some((row.seq, row.id));
                }
                Err(error) => {
                    *replica = None;
                    return Err(error);
                }
            }
        }
        Err(in_doubt(contended(), doubt))
    }

    fn next(&self, replica: &Replica, batch: &Batch) -> Result<(RecordRow, Record)> {
        let record = Record {
            previous: replica.head.record,
            at: replica.time(self.clock.now()),
            last: replica.exchange.last.clone(),
            commands: batch.commands.clone(),
        };
        let row = RecordRow {
            seq: replica.head.seq + 1,
            id: Uuid::from_u128(fastrand::u128(..)),
            body: encode("append", &record)?.into(),
        };
        Ok((row, record))
    }

    /// Writes what the head is to name, in any order: until then it counts for nothing.
    async fn write(&self, row: &RecordRow, parts: &[PartRow]) -> Result<()> {
        let record = self.storage.put_record(self.id, row);
        if parts.is_empty() {
            return record.await;
        }
        let parts = self.storage.put_parts(self.id, (row.seq, row.id), 0, parts);
        try_join(parts, record).await.map(drop)
    }

    /// Moves the head, and finds out what became of it where the cluster does not say. An error
    /// where that cannot be found out.
    async fn swap(&self, from: Head, to: Head) -> Result<Swapped> {
        let mut error = match self.storage.swap(self.id, from, to).await {
            Ok(true) => return Ok(Swapped::Applied),
            Ok(false) => return Ok(Swapped::Overtaken { in_doubt: false }),
            Err(error) if error.effect() == Effect::NotApplied => return Err(error),
            Err(error) => error,
        };
        for attempt in 1..=DOUBT_TRIES {
            sleep(PAUSE * attempt as u32).await;
            // From here on another process may have gone on behind the record.
            match self.storage.head_serial(self.id).await {
                Ok(head) if head.record == to.record => return Ok(Swapped::Applied),
                Ok(head) if head.seq == from.seq => {
                    match self.storage.swap(self.id, from, to).await {
                        Ok(true) => return Ok(Swapped::Applied),
                        // The first one was applied in the end, or another record was.
                        Ok(false) => {}
                        Err(again) => error = again.effect_unknown(),
                    }
                }
                Ok(head) => {
                    let in_doubt = head.seq > to.seq;
                    return Ok(Swapped::Overtaken { in_doubt });
                }
                Err(unread) => error = unread.effect_unknown(),
            }
        }
        Err(error)
    }

    /// Brings the replica up to the head, and past the number of `mine`. Answers the replies of that
    /// record, if it is in the log; an error where that cannot be seen any more.
    pub(super) async fn refresh(
        &self,
        replica: &mut Option<Replica>,
        mine: Option<(i64, Uuid)>,
    ) -> Result<Option<Vec<Reply>>> {
        for attempt in 0..READ_TRIES {
            if attempt > 0 {
                sleep(PAUSE * attempt as u32).await;
            }
            let mut known = match replica.take() {
                Some(known) => known,
                None => match self.load().await? {
                    Some(known) if mine.is_some_and(|(seq, _)| seq <= known.head.seq) => {
                        *replica = Some(known);
                        return Err(contended());
                    }
                    Some(known) => known,
                    None => continue,
                },
            };
            let head = match mine {
                Some(_) => self.storage.head_serial(self.id).await,
                None => self.storage.head(self.id).await,
            };
            let caught_up = match head {
                Ok(head) if head.seq <= known.head.seq => Ok(Some(None)),
                Ok(head) => self.catch_up(&mut known, head, mine).await,
                Err(error) => Err(error),
            };
            // Where records are missing it was cut off behind a newer snapshot: from there, then.
            if !matches!(caught_up, Ok(None)) {
                *replica = Some(known);
            }
            match caught_up {
                Ok(Some(replies)) => return Ok(replies),
                Ok(None) => {}
                Err(error) => return Err(error),
            }
        }
        let said = format!(
            "records of shard {} of aggregate {} are missing; see that all nodes of this data \
             centre are up and repaired",
            self.id.shard, self.name
        );
        Err(StoreError::new(StoreErrorKind::Corrupt, "aggregate", said))
    }

    /// The replica of the snapshot that the head names; `None` where it was deleted meanwhile.
    async fn load(&self) -> Result<Option<Replica>> {
        let head = self.storage.head(self.id).await?;
        let Some(snapshot) = head.snapshot else {
            let replica = Replica::new(&self.name, self.generation, self.shard);
            return Ok(Some(replica));
        };
        let stored = self.storage.snapshot(self.id, snapshot).await?.concat();
        if stored.is_empty() {
            return Ok(None);
        }
        let rows = decode("aggregate", &stored)?;
        let named = (snapshot, stored.len());
        let restored = Replica::restored(&self.name, self.shard, named, rows);
        let replica = restored.ok_or_else(|| {
            let said = "the rows of a snapshot of an aggregate contradict each other";
            StoreError::new(StoreErrorKind::Corrupt, "aggregate", said)
        })?;
        Ok(Some(replica))
    }

    /// Plays what lies between the replica and the head: all of it or nothing. `None` where records
    /// are missing.
    async fn catch_up(
        &self,
        replica: &mut Replica,
        head: Head,
        mine: Option<(i64, Uuid)>,
    ) -> Result<Option<Option<Vec<Reply>>>> {
        let from = replica.head.seq + 1;
        let mut rows = HashMap::new();
        for page in page_of(from)..=page_of(head.seq) {
            let read = self.storage.records(self.id, page, from).await?;
            rows.extend(read.into_iter().map(|row| ((row.seq, row.id), row)));
        }
        // From the head back: which of several records of a number was chosen, says the next one.
        let mut chain = Vec::new();
        let (mut seq, mut id) = (head.seq, head.record);
        while seq >= from {
            let Some(row) = rows.remove(&(seq, id)) else {
                return Ok(None);
            };
            let record: Record = decode("aggregate", &row.body)?;
            (seq, id) = (seq - 1, record.previous);
            chain.push((row, record));
        }
        if id != replica.head.record {
            return Ok(None);
        }
        let mut found = None;
        for (row, record) in chain.iter().rev() {
            let replies = replica.apply(row, record);
            if mine == Some((row.seq, row.id)) {
                found = Some(replies);
            }
        }
        replica.head = head;
        Ok(Some(found))
    }
}

/// Whether a replica began behind a record, so that it cannot tell what became of it.
fn is_past(replica: Option<&Replica>, record: Option<(i64, Uuid)>) -> bool {
    let at = replica.map_or(0, |replica| replica.head.seq);
    record.is_some_and(|(seq, _)| seq <= at)
}

/// The same error of a call that certainly had no effect: what it wrote is named by nothing.
fn unapplied(error: StoreError) -> StoreError {
    StoreError::new(error.kind(), error.operation(), error.message().to_owned()).caused_by(error)
}

/// An error while it is not known whether a record is in the log.
fn in_doubt(error: StoreError, record: Option<(i64, Uuid)>) -> StoreError {
    match record {
        Some(_) => error.effect_unknown(),
        None => unapplied(error),
    }
}
