//! Ending deliveries, and extending them.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_core::validate::{check_count, check_lease, check_settlements};
use longshore_core::{Disposition, Due, QueueName, Receipt, Result, Settled, Settlement};

use crate::connection::call::Call;
use crate::layout::receipt::{AckWay, Proof};
use crate::layout::row::record_line;
use crate::scripts;
use crate::store::RedisStore;

/// How one delivery ends, as the script knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Ack,
    Retry,
    Release,
    Dead,
    DeadParking,
    /// Expired or damaged: this delivery does not count.
    DeadUncharged,
    /// Expired, and the queue wants no dead letter.
    Discard,
    /// Of a newer version.
    PutBack,
}

impl Fate {
    const fn letter(self) -> &'static str {
        match self {
            Self::Ack => "a",
            Self::Retry => "r",
            Self::Release => "l",
            Self::Dead => "d",
            Self::DeadParking => "p",
            Self::DeadUncharged => "u",
            Self::Discard => "x",
            Self::PutBack => "n",
        }
    }
}

/// One line of a settle script.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    fate: Fate,
    proof: Proof,
    pub(crate) due: String,
    record: String,
    /// `=` keeps the stored one, `!` and bytes replace it.
    checkpoint: Vec<u8>,
    pub(crate) reason: &'static str,
    pub(crate) error: String,
}

impl Item {
    pub(crate) fn new(fate: Fate, proof: Proof) -> Self {
        Self {
            fate,
            proof,
            due: String::new(),
            record: String::new(),
            checkpoint: b"=".to_vec(),
            reason: "",
            error: String::new(),
        }
    }

    fn of(proof: Proof, disposition: &Disposition) -> Self {
        let attempt = proof.attempt;
        let mut item = match disposition {
            Disposition::Ack => Self::new(Fate::Ack, proof),
            Disposition::Retry { due, record, .. } => {
                let mut item = Self::new(Fate::Retry, proof);
                item.due = due_text(*due);
                item.record = record_line(attempt, record);
                item
            }
            Disposition::Release { due, .. } => {
                let mut item = Self::new(Fate::Release, proof);
                item.due = due.map(due_text).unwrap_or_default();
                item
            }
            Disposition::DeadLetter {
                reason,
                record,
                park_group,
                ..
            } => {
                let fate = if *park_group {
                    Fate::DeadParking
                } else {
                    Fate::Dead
                };
                let mut item = Self::new(fate, proof);
                item.record = record_line(attempt, record);
                item.reason = reason.as_str();
                item.error.clone_from(&record.error);
                item
            }
        };
        if let Some(checkpoint) = disposition.checkpoint() {
            item.checkpoint = [b"!", checkpoint.as_ref()].concat();
        }
        item
    }
}

/// A due time as the scripts take it: resolved there, by the server's clock.
pub(crate) fn due_text(due: Due) -> String {
    match due {
        Due::At(at) => at.as_millis().to_string(),
        Due::In(span) => format!("+{}", span.as_millis()),
    }
}

impl RedisStore {
    pub(crate) async fn settle_batch(
        &self,
        queue: &QueueName,
        batch: &[Settlement],
    ) -> Result<Vec<Settled>> {
        check_settlements("settle", batch, &self.limits)?;
        let mut outcomes = vec![Settled::LeaseLost; batch.len()];
        let parts = self.by_partition(batch.iter().map(|item| &item.receipt));
        for (partition, places) in parts {
            let short = places.iter().all(|(place, proof)| {
                proof.ack != AckWay::Special && batch[*place].disposition == Disposition::Ack
            });
            let marks = if short {
                self.ack_short(queue, partition, &places).await?
            } else {
                None
            };
            let marks = if let Some(marks) = marks {
                marks
            } else {
                let items: Vec<Item> = places
                    .iter()
                    .map(|(place, proof)| Item::of(proof.clone(), &batch[*place].disposition))
                    .collect();
                self.settle_items("settle", queue, partition, &items)
                    .await?
            };
            apply(&mut outcomes, &places, &marks);
        }
        Ok(outcomes)
    }

    /// Receipts by partition; those that no store of this kind made are left out.
    fn by_partition<'a>(
        &self,
        receipts: impl Iterator<Item = &'a Receipt>,
    ) -> BTreeMap<u16, Vec<(usize, Proof)>> {
        let mut parts: BTreeMap<u16, Vec<(usize, Proof)>> = BTreeMap::new();
        for (place, receipt) in receipts.enumerate() {
            if let Some(proof) =
                Proof::of(receipt).filter(|proof| proof.partition < self.partitions)
            {
                parts
                    .entry(proof.partition)
                    .or_default()
                    .push((place, proof));
            }
        }
        parts
    }

    /// The fast paths, for acks that only delete or let the next of a group come. `None` where
    /// other rows have to come first.
    async fn ack_short(
        &self,
        queue: &QueueName,
        partition: u16,
        places: &[(usize, Proof)],
    ) -> Result<Option<Vec<u8>>> {
        let grouped = places.iter().any(|(_, proof)| proof.ack != AckWay::Plain);
        let mut call = if grouped {
            let keys = ["c", "s0", "s1", "s2", "l", "h", "z", "b", "gw", "ga", "w"];
            let keys = self.keys.some(queue, partition, &keys);
            let mut call = Call::new("settle", &scripts::ACK_GROUPED, keys);
            call.arg(self.time.argument()).arg(queue.as_str());
            call
        } else {
            let keys = ["c", "s0", "s1", "s2", "l", "h"];
            let keys = self.keys.some(queue, partition, &keys);
            Call::new("settle", &scripts::ACK, keys)
        };
        // Neighbours of one segment and lane go together; order is kept, so outcomes match.
        let same = |a: &(usize, Proof), b: &(usize, Proof)| {
            (a.1.segment, a.1.lane) == (b.1.segment, b.1.lane)
        };
        for run in places.chunk_by(same) {
            call.arg(run[0].1.segment_name())
                .arg(run[0].1.lane)
                .arg(run.len());
            for (_, proof) in run {
                call.arg(proof.entry_name());
                if grouped {
                    call.arg(proof.ack.group());
                }
            }
        }
        let reply = self.session.run(&call).await?;
        if reply.is_number() {
            // All are applied; of the way for groups it is the refusal.
            return Ok((!grouped).then(|| vec![b'1'; places.len()]));
        }
        crate::store::read_marks(&reply.bytes()?, places.len()).map(Some)
    }

    pub(crate) async fn settle_items(
        &self,
        operation: &'static str,
        queue: &QueueName,
        partition: u16,
        items: &[Item],
    ) -> Result<Vec<u8>> {
        let window = self.settings_of(queue).await?.id_window();
        let mut call = self.call(operation, &scripts::SETTLE, queue, partition);
        call.arg(queue.as_str())
            .arg(u64::try_from(window.as_millis()).unwrap_or(u64::MAX));
        for item in items {
            call.arg(item.fate.letter())
                .arg(item.proof.segment_name())
                .arg(item.proof.lane)
                .arg(item.proof.entry_name())
                .arg(&item.due)
                .arg(&item.record)
                .arg(item.proof.attempt)
                .arg(&item.checkpoint)
                .arg(item.reason)
                .arg(&item.error);
        }
        self.marks(&call, items.len()).await
    }

    pub(crate) async fn extend_leases(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        lease: Duration,
    ) -> Result<Vec<Settled>> {
        check_lease("extend", lease)?;
        check_count("extend", receipts.len(), &self.limits)?;
        let mut outcomes = vec![Settled::LeaseLost; receipts.len()];
        let lease_ms = u64::try_from(lease.as_millis())
            .unwrap_or(u64::MAX)
            .min(1 << 52);
        for (partition, places) in self.by_partition(receipts.iter()) {
            let mut call = self.call("extend", &scripts::EXTEND, queue, partition);
            call.arg(lease_ms);
            for (_, proof) in &places {
                call.arg(proof.segment_name())
                    .arg(proof.lane)
                    .arg(proof.entry_name());
            }
            let marks = self.marks(&call, places.len()).await?;
            apply(&mut outcomes, &places, &marks);
        }
        Ok(outcomes)
    }
}

fn apply(outcomes: &mut [Settled], places: &[(usize, Proof)], marks: &[u8]) {
    for ((place, _), mark) in places.iter().zip(marks) {
        if *mark == b'1' {
            outcomes[*place] = Settled::Applied;
        }
    }
}
