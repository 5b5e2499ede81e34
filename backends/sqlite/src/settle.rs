//! Ending and extending deliveries.

use std::time::Duration;

use longshore_core::{Disposition, Due, QueueName, Receipt, Settled, Settlement};
use rusqlite::{CachedStatement, params};

use crate::database::transaction::Tx;
use crate::dead::dead_letter;
use crate::enqueue::recent_ids::remember_id;
use crate::error::Outcome;
use crate::receipt::read_receipt;
use crate::rows::detail::Detail;
use crate::rows::group;
use crate::rows::message::Live;
use crate::rows::queue::QueueRow;
use crate::rows::state::{self, BACKOFF, LEASED, number};

/// Acks a message that has no group, no given id and no detail. Most are like that, and one
/// statement is half the work of two.
const ACK_PLAIN: &str = concat!(
    "DELETE FROM message WHERE seq = ?1 AND token = ?2 AND queue = ?3 AND state = ",
    number!(LEASED),
    " AND flags & (",
    number!(GIVEN),
    " | ",
    number!(DETAIL),
    ") = 0 AND grp IS NULL"
);

/// Ends deliveries.
pub(crate) fn settle(tx: &Tx<'_>, name: &QueueName, batch: &[Settlement]) -> Outcome<Vec<Settled>> {
    let Some(mut queue) = QueueRow::find(tx.conn(), name)? else {
        return Ok(vec![Settled::LeaseLost; batch.len()]);
    };
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut plain = tx.sql(ACK_PLAIN)?;
    for item in batch {
        if item.disposition == Disposition::Ack && ack_plain(&mut plain, &mut queue, &item.receipt)?
        {
            outcomes.push(Settled::Applied);
            continue;
        }
        outcomes.push(match held(tx, &queue, &item.receipt)? {
            None => Settled::LeaseLost,
            Some(row) => {
                end(tx, &mut queue, row, &item.disposition)?;
                Settled::Applied
            }
        });
    }
    queue.save(tx)?;
    Ok(outcomes)
}

/// Acks a message that leaves nothing behind. False for all others.
fn ack_plain(
    plain: &mut CachedStatement<'_>,
    queue: &mut QueueRow,
    receipt: &Receipt,
) -> Outcome<bool> {
    let Some((seq, token)) = read_receipt(receipt) else {
        return Ok(false);
    };
    let deleted = plain.execute([seq, token, queue.number])?;
    if deleted == 1 {
        queue.remove(LEASED);
    }
    Ok(deleted == 1)
}

/// Makes leases last until now + `lease`.
pub(crate) fn extend(
    tx: &Tx<'_>,
    name: &QueueName,
    receipts: &[Receipt],
    lease: Duration,
) -> Outcome<Vec<Settled>> {
    let Some(queue) = QueueRow::find(tx.conn(), name)? else {
        return Ok(vec![Settled::LeaseLost; receipts.len()]);
    };
    let until = tx.moment.lease_for(lease).as_millis();
    let mut outcomes = Vec::with_capacity(receipts.len());
    for receipt in receipts {
        outcomes.push(match held(tx, &queue, receipt)? {
            None => Settled::LeaseLost,
            Some(row) => {
                tx.sql("UPDATE message SET at = ?2 WHERE seq = ?1")?
                    .execute(params![row.seq, until])?;
                Settled::Applied
            }
        });
    }
    Ok(outcomes)
}

/// The row whose current delivery a receipt proves. Time does not matter: a lease that ended is
/// still the current one until the message is delivered again.
fn held(tx: &Tx<'_>, queue: &QueueRow, receipt: &Receipt) -> Outcome<Option<Live>> {
    let Some((seq, token)) = read_receipt(receipt) else {
        return Ok(None);
    };
    let row = Live::by_seq(tx, seq)?;
    Ok(row.filter(|row| row.token == token && row.queue == queue.number && row.state == LEASED))
}

fn end(tx: &Tx<'_>, queue: &mut QueueRow, mut row: Live, disposition: &Disposition) -> Outcome<()> {
    if *disposition == Disposition::Ack {
        return ack(tx, queue, &row);
    }
    let mut detail = Detail::read(tx.conn(), row.seq, row.flags)?;
    detail.keep_checkpoint(disposition.checkpoint());
    match disposition {
        Disposition::Ack => Ok(()),
        Disposition::Retry { due, record, .. } => {
            detail.record(row.attempts, record);
            detail.write(tx, &mut row)?;
            come_back(tx, queue, &mut row, *due)
        }
        Disposition::Release { due, .. } => {
            row.attempts = row.attempts.saturating_sub(1);
            detail.write(tx, &mut row)?;
            match due {
                Some(due) => come_back(tx, queue, &mut row, *due),
                None => row.make_ready(tx, queue),
            }
        }
        Disposition::DeadLetter {
            reason,
            record,
            park_group,
            ..
        } => {
            detail.record(row.attempts, record);
            let why = (*reason, record.error.clone());
            dead_letter(tx, queue, &mut row, detail, why, *park_group)
        }
    }
}

fn ack(tx: &Tx<'_>, queue: &mut QueueRow, row: &Live) -> Outcome<()> {
    if row.is_given() {
        remember_id(tx, queue, row.id)?;
    }
    row.delete(tx, queue)?;
    match &row.group {
        Some(name) => group::admit(tx, queue, name),
        None => Ok(()),
    }
}

/// Brings a message back at a due time. A head stays the head of its group meanwhile.
fn come_back(tx: &Tx<'_>, queue: &mut QueueRow, row: &mut Live, due: Due) -> Outcome<()> {
    let due = due.resolve(tx.now).as_millis();
    row.due = due;
    if due <= tx.now.as_millis() {
        tx.receivable_at(due);
        return row.enter(tx, queue, state::ready_of(row.flags), due);
    }
    tx.receivable_at(due);
    row.enter(tx, queue, BACKOFF, due)
}
