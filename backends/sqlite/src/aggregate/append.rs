//! Parts come in.

use std::collections::BTreeMap;

use longshore_core::wire::encode;
use longshore_core::{
    AggregateName, AggregateRules, Appended, Appends, CompletedBy, Epoch, Goes, KeyState,
    LateParts, NewPart, OpenEpoch, Placed, Timestamp, place,
};
use rusqlite::{OptionalExtension as _, params};

use crate::aggregate::closed_row::{ClosedRow, DONE, forget, forget_one};
use crate::aggregate::open_row::OpenRow;
use crate::aggregate::row::{AggregateRow, number};
use crate::aggregate::rules_row::RulesRead;
use crate::database::transaction::Tx;
use crate::error::Outcome;

/// What a part takes beside its body, roughly.
const ROW_BYTES: u64 = 200;
/// Epochs, and about as many parts, that every call forgets at the most beside twice its own parts:
/// more than come to be.
const FORGOTTEN_MAX: usize = 500;

/// Stores parts. An error leaves nothing behind: the transaction is rolled back.
pub(super) fn append(
    tx: &Tx<'_>,
    name: &AggregateName,
    rules: &AggregateRules,
    parts: &[NewPart],
) -> Outcome<Appends> {
    let bytes = parts
        .iter()
        .map(|part| part.message.body.len() as u64 + ROW_BYTES);
    tx.require_space(bytes.sum())?;
    let row = AggregateRow::ensure(tx, name)?;
    forget(tx, row.number, 2 * parts.len() + FORGOTTEN_MAX)?;
    let mut read = RulesRead::default();
    let mut call = Append {
        tx,
        rules,
        rules_number: read.number_of(tx, rules)?,
        row,
        read,
        open: BTreeMap::new(),
        answer: Appends::default(),
    };
    for part in parts {
        let appended = call.part(part)?;
        call.answer.outcomes.push(appended);
    }
    call.save()
}

/// One call. Open epochs are read once and written once, however many parts they get.
struct Append<'a> {
    tx: &'a Tx<'a>,
    rules: &'a AggregateRules,
    rules_number: i64,
    row: AggregateRow,
    read: RulesRead,
    /// Keys that were looked at: their open epoch, if they have one.
    open: BTreeMap<&'a str, Option<OpenRow>>,
    answer: Appends,
}

impl<'a> Append<'a> {
    fn part(&mut self, part: &'a NewPart) -> Outcome<Appended> {
        if self.is_known(part)? {
            return Ok(Appended::Duplicate);
        }
        let key = part.key.as_str();
        let open = self.open_of(key)?;
        let placed = self.place(part, open.as_ref())?;
        let mut open = open;
        if let Some(by) = placed.closes
            && let Some(open) = open.take()
        {
            self.close(key, &open, by)?;
        }
        self.row.counts.accepted += 1;
        match placed.goes {
            Goes::Into {
                open: state,
                is_new,
                completes,
            } => {
                self.row.counts.open += 1;
                self.row.counts.open_epochs += u64::from(is_new);
                self.insert(part, state.epoch)?;
                let mut joined = match open {
                    Some(mut open) if !is_new => {
                        open.state = state;
                        open
                    }
                    _ => OpenRow::new(key.to_owned(), self.rules_number, state),
                };
                if let Some(by) = completes {
                    self.close(key, &joined, by)?;
                } else {
                    self.stays_open(&mut joined)?;
                    self.open.insert(key, Some(joined));
                }
            }
            Goes::Aside { epoch, by, is_kept } => {
                self.open.insert(key, open);
                self.put_aside(part, epoch, by, is_kept)?;
            }
        }
        Ok(Appended::Stored)
    }

    /// Where a part goes, as the core decides it.
    fn place(&mut self, part: &NewPart, open: Option<&OpenRow>) -> Outcome<Placed> {
        let its_rules = match open {
            Some(open) => Some(self.read.get(self.tx.conn(), open.rules)?),
            None => None,
        };
        let key = part.key.as_str();
        let asks_whether_late = open.is_none() && self.rules.late != LateParts::Open;
        let was_closed = asks_whether_late
            && ClosedRow::was_closed(self.tx.conn(), self.row.number, key, self.tx.now)?;
        let state = KeyState {
            open: open
                .zip(its_rules.as_deref())
                .map(|(open, rules)| (open.state, rules)),
            was_closed,
            next: self.row.last_epoch().next(self.tx.now),
        };
        let bytes = part.message.body.len() as u64;
        Ok(place(self.rules, state, bytes, part.closing, self.tx.now))
    }

    /// Whether a part of this id is known. One whose time is over is forgotten now, whoever else
    /// has not got to it.
    fn is_known(&self, part: &NewPart) -> Outcome<bool> {
        let (tx, aggregate) = (self.tx, self.row.number);
        let epoch: Option<i64> = tx
            .sql("SELECT epoch FROM part WHERE aggregate = ?1 AND id = ?2")?
            .query_row(
                params![aggregate, part.message.id.as_uuid().as_bytes()],
                |row| row.get(0),
            )
            .optional()?;
        let Some(epoch) = epoch else {
            return Ok(false);
        };
        let is_over = tx
            .sql(
                "SELECT 1 FROM closed_epoch
                 WHERE aggregate = ?1 AND epoch = ?2 AND state = ?3 AND at <= ?4",
            )?
            .exists(params![aggregate, epoch, DONE, tx.now.as_millis()])?;
        if is_over {
            forget_one(tx, aggregate, epoch)?;
        }
        Ok(!is_over)
    }

    /// The open epoch of a key, taken out of what the call knows.
    fn open_of(&mut self, key: &'a str) -> Outcome<Option<OpenRow>> {
        match self.open.get_mut(key) {
            Some(open) => Ok(open.take()),
            None => OpenRow::find(self.tx.conn(), self.row.number, key),
        }
    }

    fn stays_open(&mut self, joined: &mut OpenRow) -> Outcome<()> {
        let rules = self.read.get(self.tx.conn(), joined.rules)?;
        joined.look_by(&rules);
        if let Some(at) = joined.state.look_at(&rules) {
            self.answer.is_ready |= at <= self.tx.now;
            let next = self.answer.next.map_or(at, |next| next.min(at));
            self.answer.next = Some(next);
        }
        Ok(())
    }

    fn close(&mut self, key: &'a str, open: &OpenRow, by: CompletedBy) -> Outcome<()> {
        self.row.counts.open -= u64::from(open.state.parts);
        self.row.counts.open_epochs -= 1;
        ClosedRow::close(self.tx, &mut self.row, open, by, false)?;
        open.delete(self.tx, self.row.number)?;
        self.open.insert(key, None);
        self.answer.is_ready = true;
        Ok(())
    }

    /// Closes a single part, or drops it.
    fn put_aside(
        &mut self,
        part: &NewPart,
        epoch: Epoch,
        by: CompletedBy,
        is_kept: bool,
    ) -> Outcome<()> {
        self.insert(part, epoch)?;
        let bytes = part.message.body.len() as u64;
        let state = OpenEpoch::single(epoch, bytes, self.tx.now);
        let single = OpenRow::new(part.key.as_str().to_owned(), self.rules_number, state);
        let closed = ClosedRow::close(self.tx, &mut self.row, &single, by, true)?;
        if is_kept {
            self.answer.is_ready = true;
            return Ok(());
        }
        self.row.counts.dropped += 1;
        closed.end(self.tx, &mut self.row, self.rules)
    }

    fn insert(&mut self, part: &NewPart, epoch: Epoch) -> Outcome<()> {
        self.row.opened(epoch);
        let message = part.message.stored_at(part.position, None);
        self.tx
            .sql(
                "INSERT INTO part (aggregate, epoch, position, id, head, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                self.row.number,
                number(epoch),
                part.position.as_millis(),
                message.id.as_uuid().as_bytes(),
                encode(&message),
                &*message.body,
            ])?;
        Ok(())
    }

    fn save(self) -> Outcome<Appends> {
        for open in self.open.values().flatten() {
            open.save(self.tx, self.row.number)?;
        }
        self.row.save(self.tx)?;
        Ok(self.answer)
    }
}

/// The least of two times that may be none.
pub(super) fn least(one: Option<i64>, other: Option<i64>) -> Option<Timestamp> {
    one.into_iter()
        .chain(other)
        .min()
        .map(Timestamp::from_millis)
}
