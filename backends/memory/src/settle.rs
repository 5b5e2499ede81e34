//! Ending and extending deliveries.

use std::time::Duration;

use bytes::Bytes;
use longshore_core::{
    AttemptRecord, DeadMark, Disposition, Due, MessageId, Receipt, Settled, Settlement, Timestamp,
};

use crate::receipt::read_receipt;
use crate::schema::{Queue, Row, State};

impl Queue {
    /// Ends one delivery. `number` orders what dies.
    pub(crate) fn settle(&mut self, item: &Settlement, now: Timestamp, number: u64) -> Settled {
        let Some(id) = self.holder_of(&item.receipt) else {
            return Settled::LeaseLost;
        };
        if item.disposition == Disposition::Ack {
            self.ack(id, now);
            return Settled::Applied;
        }
        self.take_off(id);
        if let Some(row) = self.live.get_mut(&id) {
            keep_checkpoint(row, item.disposition.checkpoint());
        }
        match &item.disposition {
            Disposition::Ack => {}
            Disposition::Retry { due, record, .. } => {
                self.record(id, record);
                self.come_back(id, *due, now);
            }
            Disposition::Release { due, .. } => self.release(id, *due, now),
            Disposition::DeadLetter {
                reason,
                record,
                park_group,
                ..
            } => {
                self.record(id, record);
                let error = Some(record.error.clone());
                self.dead_letter(id, DeadMark::new(*reason, error, now, *park_group), number);
            }
        }
        Settled::Applied
    }

    /// Makes a lease last until now + `lease`.
    pub(crate) fn extend(&mut self, receipt: &Receipt, lease: Duration, now: Timestamp) -> Settled {
        let Some(id) = self.holder_of(receipt) else {
            return Settled::LeaseLost;
        };
        self.take_off(id);
        if let Some(row) = self.live.get_mut(&id)
            && let State::Leased { until, .. } = &mut row.state
        {
            *until = now.plus(lease);
            self.lease_ends.insert((*until, row.place));
        }
        Settled::Applied
    }

    /// The message whose current delivery a receipt proves. Time does not matter: a lease that
    /// ended is still the current one until the message is delivered again.
    fn holder_of(&self, receipt: &Receipt) -> Option<MessageId> {
        let (id, number) = read_receipt(receipt)?;
        match self.live.get(&id)?.state {
            State::Leased { delivery, .. } if delivery == number => Some(id),
            _ => None,
        }
    }

    fn ack(&mut self, id: MessageId, now: Timestamp) {
        if let Some(row) = self.take_out(id) {
            self.remember_id(&row, now);
            if let Some(group) = &row.group {
                self.admit(group);
            }
        }
    }

    fn record(&mut self, id: MessageId, record: &AttemptRecord) {
        if let Some(row) = self.live.get_mut(&id) {
            row.history.push(row.attempts, record.clone());
            row.recorded_through = row.attempts;
        }
    }

    fn release(&mut self, id: MessageId, due: Option<Due>, now: Timestamp) {
        if let Some(row) = self.live.get_mut(&id) {
            row.attempts = row.attempts.saturating_sub(1);
        }
        match due {
            Some(due) => self.come_back(id, due, now),
            None => self.make_ready(id),
        }
    }

    /// Brings a message back at a due time. A head stays the head of its group meanwhile.
    fn come_back(&mut self, id: MessageId, due: Due, now: Timestamp) {
        let due_at = due.resolve(now);
        if due_at > now {
            self.put_off(id, due_at, State::Delayed);
        } else {
            if let Some(row) = self.live.get_mut(&id) {
                row.due_at = due_at;
            }
            self.make_ready(id);
        }
    }
}

/// `Some` replaces the checkpoint, an empty one clears it, `None` keeps it.
fn keep_checkpoint(row: &mut Row, checkpoint: Option<&Bytes>) {
    if let Some(bytes) = checkpoint {
        row.checkpoint = (!bytes.is_empty()).then(|| bytes.clone());
    }
}
