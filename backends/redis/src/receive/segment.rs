//! Leasing one segment of a partition.

use bytes::Bytes;
use longshore_core::{Effect, QueueName, Receive, Result, StoreErrorKind, Timestamp};

use crate::connection::call::Call;
use crate::connection::reply::Reply;
use crate::error::unexpected_reply;
use crate::layout::receipt::{AckWay, Proof, entry_parts, segment_name};
use crate::layout::row::Row;
use crate::receive::path_choice;
use crate::scripts;
use crate::store::{RedisStore, observe_time};

/// For how long the server keeps the name of a sleeper: longer than it sleeps.
const SLEEPER_MS: u64 = 3_000;
/// The lane of messages that nobody gave a priority.
const NORMAL: u8 = 1;

/// A row that was leased.
pub(crate) struct Leased {
    pub(crate) row: Row,
    pub(crate) proof: Proof,
}

/// What one partition answered.
pub(crate) struct Batch {
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) next_due: Option<i64>,
    pub(crate) leased: Vec<Leased>,
}

/// What the entries of one run have in common.
pub(crate) struct Run {
    pub(crate) partition: u16,
    pub(crate) segment: u64,
    pub(crate) lane: u8,
    /// Deliveries before, beyond those that each row has counted.
    pub(crate) base: u32,
    /// Of an entry that was released with one, where it lay.
    pub(crate) checkpoint: Option<Bytes>,
}

impl RedisStore {
    /// Leases up to as many as are wanted, as one segment; none is no error.
    pub(crate) async fn lease_from(
        &self,
        queue: &QueueName,
        partition: u16,
        request: &Receive,
        sleeps: bool,
    ) -> Result<Batch> {
        let segment = fastrand::u64(..);
        let place = path_choice::place(queue, partition);
        let is_direct = self.path_choice.is_direct(place, request.batch_max.get());
        if is_direct
            && let Some(batch) = self
                .lease_direct(queue, partition, request, segment)
                .await?
        {
            return Ok(batch);
        }
        let mut call = self.call("receive", &scripts::RECEIVE, queue, partition);
        call.arg(segment_name(segment))
            .arg(request.batch_max.get())
            .arg(lease_ms(request))
            .arg(if sleeps { self.wakeups.channel() } else { "" })
            .arg(SLEEPER_MS)
            .arg(queue.as_str());
        let reply = self.lease_once(&call).await?;
        let (batch, is_plain) = self.read_batch(reply, partition, segment)?;
        let is_full = batch.leased.len() >= request.batch_max.get() as usize;
        self.path_choice.answered(place, is_plain && is_full);
        Ok(batch)
    }

    /// Sends a call to lease. Where the connection broke and nobody knows whether it arrived, it
    /// is sent once more: the name of the segment is the same, so the server answers the same run
    /// and no message is charged for a lost answer.
    async fn lease_once(&self, call: &Call) -> Result<Reply> {
        match self.session.run(call).await {
            Err(error)
                if error.kind() == StoreErrorKind::Unavailable
                    && error.effect() == Effect::Unknown =>
            {
                self.session.run(call).await
            }
            answered => answered,
        }
    }

    /// Reads the script's answer, and tells whether all of it lay behind the cursor of one lane.
    fn read_batch(&self, reply: Reply, partition: u16, segment: u64) -> Result<(Batch, bool)> {
        let mut parts = reply.list()?.into_iter();
        let mut next = || {
            parts
                .next()
                .ok_or_else(|| unexpected_reply("receive", "an answer is too short"))
        };
        let now = observe_time(self, next()?)?;
        next()?;
        let until = next()?.number()?;
        let next_due = next()?.optional_number()?;
        let mut is_plain = parts.len() == 1;
        let mut leased = Vec::new();
        for run in parts {
            let (run, entries) = Run::of(run, partition, segment)?;
            is_plain &= run.lane == NORMAL && run.base == 0 && run.checkpoint.is_none();
            run.read(entries, &mut leased)?;
        }
        let batch = Batch {
            now: Timestamp::from_millis(now),
            until: Timestamp::from_millis(until),
            next_due,
            leased,
        };
        Ok((batch, is_plain))
    }
}

impl Run {
    /// Reads `{lane, base, flags, entries, checkpoints}` but for the entries.
    fn of(run: Reply, partition: u16, segment: u64) -> Result<(Self, Reply)> {
        let mut parts = run.list()?.into_iter();
        let mut next = || {
            parts
                .next()
                .ok_or_else(|| unexpected_reply("receive", "a run is too short"))
        };
        let lane = next()?.number()? as u8;
        let base = next()?.number()? as u32;
        let released_with_checkpoint = !next()?.bytes()?.is_empty();
        let entries = next()?;
        let checkpoint = match parts.next() {
            Some(checkpoints) if released_with_checkpoint => {
                let first = checkpoints.list()?.into_iter().next();
                Some(first.map_or_else(|| Ok(Bytes::new()), Reply::bytes)?)
            }
            _ => None,
        };
        let run = Self {
            partition,
            segment,
            lane,
            base,
            checkpoint,
        };
        Ok((run, entries))
    }

    /// Reads the entries of a stream, each `{name, {field, value, …}}`.
    pub(crate) fn read(&self, entries: Reply, leased: &mut Vec<Leased>) -> Result<()> {
        for entry in entries.list()? {
            let [name, fields] = entry.fixed()?;
            let entry = entry_parts(&name.text()?)
                .ok_or_else(|| unexpected_reply("receive", "an entry has no name"))?;
            let mut row = Row::of_fields(fields)?;
            if let Some(checkpoint) = &self.checkpoint {
                row.checkpoint = checkpoint.clone();
            }
            let proof = Proof {
                partition: self.partition,
                lane: self.lane,
                ack: match &self.checkpoint {
                    Some(_) => AckWay::Special,
                    None => row.ack_way(),
                },
                attempt: row.meta.attempts + self.base + 1,
                segment: self.segment,
                entry,
            };
            leased.push(Leased { row, proof });
        }
        Ok(())
    }
}

/// The lease as the scripts take it, in ms; bounded so that sums stay exact there.
pub(crate) fn lease_ms(request: &Receive) -> u64 {
    let lease = u64::try_from(request.lease.as_millis());
    lease.unwrap_or(u64::MAX).min(1 << 52)
}
