//! What becomes of closed epochs, and what people change.

use longshore_core::{
    AggregateKey, AggregateName, Changed, CompletedBy, Epoch, EpochChange, Fate, Receipt, Settled,
};

use crate::aggregate::closed_row::{ClosedRow, WAITS};
use crate::aggregate::open_row::OpenRow;
use crate::aggregate::row::{AggregateRow, epoch};
use crate::aggregate::rules_row::RulesRead;
use crate::aggregate::turn::close;
use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::receipt::read_receipt;

/// Says what became of epochs that were handed out.
pub(super) fn finish(
    tx: &Tx<'_>,
    name: &AggregateName,
    epochs: &[(Receipt, Fate)],
) -> Outcome<Vec<Settled>> {
    let Some(mut row) = AggregateRow::find(tx.conn(), name)? else {
        return Ok(vec![Settled::LeaseLost; epochs.len()]);
    };
    let mut read = RulesRead::default();
    let mut outcomes = Vec::with_capacity(epochs.len());
    for (receipt, fate) in epochs {
        outcomes.push(finish_one(tx, &mut row, &mut read, receipt, *fate)?);
    }
    row.save(tx)?;
    Ok(outcomes)
}

fn finish_one(
    tx: &Tx<'_>,
    row: &mut AggregateRow,
    read: &mut RulesRead,
    receipt: &Receipt,
    fate: Fate,
) -> Outcome<Settled> {
    let Some((number, token)) = read_receipt(receipt).filter(|(_, token)| *token != 0) else {
        return Ok(Settled::LeaseLost);
    };
    let found = ClosedRow::find(tx.conn(), row.number, epoch(number))?;
    let Some(mut closed) = found.filter(|one| one.state == WAITS && one.token == token) else {
        return Ok(Settled::LeaseLost);
    };
    match fate {
        Fate::PutOff(span) => {
            let at = tx.now.plus(span).as_millis();
            closed.put(tx, row.number, at, 0)?;
            return Ok(Settled::Applied);
        }
        Fate::Released => row.counts.released += u64::from(closed.was.parts),
        Fate::Dead => row.counts.dead += u64::from(closed.was.parts),
    }
    let rules = read.get(tx.conn(), closed.rules)?;
    closed.end(tx, row, &rules)?;
    Ok(Settled::Applied)
}

/// Closes or discards epochs.
pub(super) fn change(
    tx: &Tx<'_>,
    name: &AggregateName,
    epochs: &[(AggregateKey, Epoch, EpochChange)],
) -> Outcome<Vec<Changed>> {
    let Some(mut row) = AggregateRow::find(tx.conn(), name)? else {
        return Ok(vec![Changed::NotFound; epochs.len()]);
    };
    let mut read = RulesRead::default();
    let mut outcomes = Vec::with_capacity(epochs.len());
    for (key, epoch, change) in epochs {
        outcomes.push(change_one(tx, &mut row, &mut read, key, *epoch, *change)?);
    }
    row.save(tx)?;
    Ok(outcomes)
}

fn change_one(
    tx: &Tx<'_>,
    row: &mut AggregateRow,
    read: &mut RulesRead,
    key: &AggregateKey,
    epoch: Epoch,
    change: EpochChange,
) -> Outcome<Changed> {
    if let Some(open) = OpenRow::find_epoch(tx.conn(), row.number, key, epoch)? {
        close(tx, row, &open, CompletedBy::Force)?;
        if change == EpochChange::Close {
            return Ok(Changed::Applied);
        }
    }
    let found = ClosedRow::find(tx.conn(), row.number, epoch)?;
    let closed = found.filter(|one| one.state == WAITS && one.key == key.as_str());
    match (change, closed) {
        (EpochChange::Discard, Some(closed)) if closed.leased_until(tx.now).is_some() => {
            Ok(Changed::Leased)
        }
        (EpochChange::Discard, Some(closed)) => {
            row.counts.discarded += u64::from(closed.was.parts);
            let rules = read.get(tx.conn(), closed.rules)?;
            closed.end(tx, row, &rules)?;
            Ok(Changed::Applied)
        }
        _ => Ok(Changed::NotFound),
    }
}
