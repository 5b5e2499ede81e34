//! Open epochs close by time and by verdict; closed ones are handed out.

use longshore_core::{
    AggregateKey, AggregateName, ClosedEpoch, CompletedBy, Judged, Question, Settled, Timestamp,
    Turn, Turned, Verdict, epoch_id,
};
use rusqlite::{Connection, params};

use crate::aggregate::append::least;
use crate::aggregate::closed_row::{ClosedRow, WAITS, closed_columns, forget};
use crate::aggregate::open_row::{OpenRow, open_columns};
use crate::aggregate::row::{AggregateRow, number};
use crate::aggregate::rules_row::RulesRead;
use crate::database::transaction::{Tx, new_token};
use crate::error::Outcome;
use crate::receipt::receipt;

/// No turn looks at more open epochs: a transaction is to be short.
const LOOKS_MAX: usize = 256;
/// Nor forgets more closed ones, or about as many parts.
const FORGOTTEN_MAX: usize = 500;

/// Whether a turn has something to do now, and when it has next.
pub(super) fn look(
    conn: &Connection,
    name: &AggregateName,
    now: Timestamp,
) -> Outcome<(bool, Option<Timestamp>)> {
    let Some(row) = AggregateRow::find(conn, name)? else {
        return Ok((false, None));
    };
    let next = next(conn, row.number)?;
    Ok((next.is_some_and(|at| at <= now), next))
}

/// When a turn has something to do next.
pub(super) fn next(conn: &Connection, aggregate: i64) -> Outcome<Option<Timestamp>> {
    let mut looks = conn.prepare_cached(
        "SELECT min(look) FROM open_epoch WHERE aggregate = ?1 AND look IS NOT NULL",
    )?;
    let look = looks.query_row([aggregate], |row| row.get(0))?;
    let mut ready = conn
        .prepare_cached("SELECT min(at) FROM closed_epoch WHERE aggregate = ?1 AND state = ?2")?;
    let ready = ready.query_row([aggregate, WAITS], |row| row.get(0))?;
    Ok(least(look, ready))
}

/// Closes what is due, hands out questions, then closed epochs.
pub(super) fn turn(tx: &Tx<'_>, name: &AggregateName, turn: Turn) -> Outcome<Turned> {
    let Some(mut row) = AggregateRow::find(tx.conn(), name)? else {
        return Ok(Turned::default());
    };
    forget(tx, row.number, FORGOTTEN_MAX)?;
    let mut read = RulesRead::default();
    let mut turned = Turned::default();
    for open in due(tx, row.number)? {
        look_at(tx, &mut row, &mut read, open, turn, &mut turned)?;
    }
    hand_out(tx, &row, &mut read, turn, &mut turned)?;
    row.save(tx)?;
    turned.next = next(tx.conn(), row.number)?;
    turned.more = turned.next.is_some_and(|at| at <= tx.now);
    Ok(turned)
}

/// Open epochs that somebody has to look at.
fn due(tx: &Tx<'_>, aggregate: i64) -> Outcome<Vec<OpenRow>> {
    let mut statement = tx.sql(concat!(
        "SELECT ",
        open_columns!(),
        " FROM open_epoch WHERE aggregate = ?1 AND look <= ?2 ORDER BY look LIMIT ?3"
    ))?;
    let values = params![aggregate, tx.now.as_millis(), LOOKS_MAX as i64];
    let rows = statement.query_map(values, OpenRow::of)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn look_at(
    tx: &Tx<'_>,
    row: &mut AggregateRow,
    read: &mut RulesRead,
    mut open: OpenRow,
    turn: Turn,
    turned: &mut Turned,
) -> Outcome<()> {
    let rules = read.get(tx.conn(), open.rules)?;
    if let Some(by) = open.state.due_by(&rules, tx.now) {
        return close(tx, row, &open, by);
    }
    if open.state.ask_at.is_some_and(|at| at <= tx.now) {
        if turned.questions.len() >= turn.max.get() as usize {
            return Ok(());
        }
        if let Ok(key) = AggregateKey::new(&open.key) {
            turned.questions.push(Question {
                key,
                epoch: open.state.epoch,
                parts: open.state.parts,
                rules: rules.clone(),
            });
        }
        open.state.ask_at = Some(tx.now.plus(turn.lease));
    }
    open.look_at(&rules);
    open.save(tx, row.number)
}

/// Closes an open epoch.
pub(super) fn close(
    tx: &Tx<'_>,
    row: &mut AggregateRow,
    open: &OpenRow,
    by: CompletedBy,
) -> Outcome<()> {
    row.counts.open -= u64::from(open.state.parts);
    row.counts.open_epochs -= 1;
    open.delete(tx, row.number)?;
    ClosedRow::close(tx, row, open, by, false)?;
    Ok(())
}

fn hand_out(
    tx: &Tx<'_>,
    row: &AggregateRow,
    read: &mut RulesRead,
    turn: Turn,
    turned: &mut Turned,
) -> Outcome<()> {
    let ready: Vec<ClosedRow> = {
        let mut statement = tx.sql(concat!(
            "SELECT ",
            closed_columns!(),
            " FROM closed_epoch WHERE aggregate = ?1 AND state = ?2 AND at <= ?3
             ORDER BY at, epoch LIMIT ?4"
        ))?;
        let values = params![row.number, WAITS, tx.now.as_millis(), turn.max.get()];
        let rows = statement.query_map(values, ClosedRow::of)?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for mut closed in ready {
        let token = new_token();
        let until = tx.now.plus(turn.lease).as_millis();
        closed.put(tx, row.number, until, token)?;
        let rules = read.get(tx.conn(), closed.rules)?;
        let Some(info) = closed.info(rules, tx.now) else {
            continue;
        };
        let generation = u64::try_from(row.generation).unwrap_or(0);
        let id = epoch_id(&row.counts.name, generation, &info.key, info.epoch);
        turned.closed.push(ClosedEpoch::new(
            info,
            closed.by,
            closed.is_set_aside,
            id,
            receipt(number(closed.was.epoch), token),
        ));
    }
    Ok(())
}

/// Answers questions.
pub(super) fn answer(
    tx: &Tx<'_>,
    name: &AggregateName,
    verdicts: &[Verdict],
) -> Outcome<Vec<Settled>> {
    let Some(mut row) = AggregateRow::find(tx.conn(), name)? else {
        return Ok(vec![Settled::LeaseLost; verdicts.len()]);
    };
    let mut read = RulesRead::default();
    let mut outcomes = Vec::with_capacity(verdicts.len());
    for verdict in verdicts {
        outcomes.push(answer_one(tx, &mut row, &mut read, verdict)?);
    }
    row.save(tx)?;
    Ok(outcomes)
}

fn answer_one(
    tx: &Tx<'_>,
    row: &mut AggregateRow,
    read: &mut RulesRead,
    verdict: &Verdict,
) -> Outcome<Settled> {
    let found = OpenRow::find_epoch(tx.conn(), row.number, &verdict.key, verdict.epoch)?;
    let Some(mut open) = found else {
        return Ok(Settled::LeaseLost);
    };
    let is_current = open.state.parts == verdict.parts;
    let state = &mut open.state;
    match verdict.judged {
        Judged::Complete if is_current => {
            close(tx, row, &open, CompletedBy::Predicate)?;
            return Ok(Settled::Applied);
        }
        Judged::Failed => (state.ask_at, state.asks) = (None, false),
        Judged::NotYet if is_current => state.ask_at = None,
        // More parts came meanwhile: it is asked again.
        Judged::NotYet | Judged::Complete => state.ask_at = state.asks.then_some(tx.now),
    }
    let rules = read.get(tx.conn(), open.rules)?;
    open.look_at(&rules);
    open.save(tx, row.number)?;
    Ok(match verdict.judged {
        Judged::Complete => Settled::LeaseLost,
        Judged::NotYet | Judged::Failed => Settled::Applied,
    })
}
