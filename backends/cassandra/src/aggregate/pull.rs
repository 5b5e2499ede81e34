//! A home takes the parts that other cells hold for it.
//!
//! It reads their logs from the replicas of its own data centre, where rows come late, in any order
//! and with gaps. A record names the record before it with parts for each cell, so what is missing is
//! seen; what is missing is waited for. The parts and the place up to which they were taken are one
//! record of the home's own log.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_core::{AggregateRules, PartHead, Result};

use crate::aggregate::exchange::RecordName;
use crate::aggregate::record::{Command, Record, decode};
use crate::aggregate::storage::{LogId, LogStorage, PartRow, page_of};
use crate::aggregate::submit::SharedLog;
use crate::aggregate::waiting::{BYTES_MAX, PARTS_MAX};

/// The same shard of an aggregate in another cell, as the replicas of this data centre have it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) cell: i16,
    pub(crate) storage: Arc<dyn LogStorage>,
    pub(crate) id: LogId,
}

/// What became of a look at a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pulled {
    /// All that is known here was taken.
    All,
    /// More is to be taken at once.
    More,
    /// Rows are on their way still.
    Waits,
}

/// Parts of one record that are for this cell.
struct Found {
    name: RecordName,
    /// Rules, the number of the first row, and the parts.
    groups: Vec<(AggregateRules, i32, Vec<PartHead>)>,
}

impl Peer {
    /// Takes parts that the peer holds for cell `here` into the log of that shard, and tells the
    /// peer how far.
    pub(crate) async fn pull(&self, here: i16, log: &Arc<SharedLog>) -> Result<Pulled> {
        let after = log
            .look(|replica| replica.exchange.taken(self.cell))
            .await?;
        let (found, is_whole) = self.find(here, after).await?;
        let Some(found) = found else {
            return Ok(Pulled::Waits);
        };
        let mut upto = after;
        let (mut groups, mut rows, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut is_cut = !is_whole;
        for record in found {
            let Some(of_record) = self.rows(&record).await? else {
                is_cut = true;
                break;
            };
            let more: usize = of_record.iter().map(PartRow::len).sum();
            let is_full = rows.len() + of_record.len() > PARTS_MAX || bytes + more > BYTES_MAX;
            if is_full && !rows.is_empty() {
                return self
                    .take(here, log, after, upto, groups, rows)
                    .await
                    .map(|()| Pulled::More);
            }
            bytes += more;
            upto = record.name.0;
            rows.extend(of_record);
            let parts = record.groups.into_iter();
            groups.extend(parts.map(|(rules, _, heads)| (rules, heads)));
        }
        if upto > after {
            self.take(here, log, after, upto, groups, rows).await?;
        }
        Ok(if is_cut { Pulled::Waits } else { Pulled::All })
    }

    async fn take(
        &self,
        here: i16,
        log: &Arc<SharedLog>,
        after: i64,
        upto: i64,
        groups: Vec<(AggregateRules, Vec<PartHead>)>,
        rows: Vec<PartRow>,
    ) -> Result<()> {
        let of = self.cell;
        let command = Command::Take {
            of,
            after,
            upto,
            groups,
        };
        log.submit(command, rows).await?;
        let taken = log.look(|replica| replica.exchange.taken(of)).await?;
        self.storage.acknowledge(self.id, here, taken).await
    }

    /// The records behind `after` with parts for this cell, the oldest first; `None` where one is
    /// missing. Whether the newest record could be read, too.
    async fn find(&self, here: i16, after: i64) -> Result<(Option<Vec<Found>>, bool)> {
        let head = self.storage.head(self.id).await?;
        if head.seq <= after {
            return Ok((Some(Vec::new()), true));
        }
        let mut found = Vec::new();
        let mut next = Some((head.seq, head.record));
        while let Some(name) = next.filter(|(seq, _)| *seq > after) {
            let Some(record) = self.record(name).await? else {
                return Ok((None, false));
            };
            next = record.last.get(&here).copied();
            let groups = for_cell(here, record);
            if !groups.is_empty() {
                found.push(Found { name, groups });
            }
        }
        found.reverse();
        Ok((Some(found), true))
    }

    async fn record(&self, (seq, id): RecordName) -> Result<Option<Record>> {
        let rows = self.storage.records(self.id, page_of(seq), seq).await?;
        let row = rows.into_iter().find(|row| (row.seq, row.id) == (seq, id));
        row.map(|row| decode("aggregate", &row.body)).transpose()
    }

    /// The parts of a record in order; `None` where one is missing.
    async fn rows(&self, record: &Found) -> Result<Option<Vec<PartRow>>> {
        let numbers = record.groups.iter().flat_map(|(_, first, heads)| {
            let count = i32::try_from(heads.len()).unwrap_or(i32::MAX);
            *first..*first + count
        });
        let numbers: Vec<_> = numbers.collect();
        let read = self.storage.parts(self.id, record.name, &numbers).await?;
        let mut read: BTreeMap<_, _> = read.into_iter().collect();
        Ok(numbers.iter().map(|number| read.remove(number)).collect())
    }
}

/// Takes note of which parts of a shard other cells have by now, so that their rows may go.
pub(crate) async fn note_acknowledged(log: &Arc<SharedLog>) -> Result<()> {
    let outgoing = log.look(|replica| {
        let cells = replica.exchange.outgoing.keys();
        let first = cells.filter_map(|cell| Some((*cell, replica.exchange.first(*cell)?)));
        first.collect::<BTreeMap<_, _>>()
    });
    let outgoing = outgoing.await?;
    if outgoing.is_empty() {
        return Ok(());
    }
    let of = &log.log;
    for (by, upto) in of.storage.acknowledgements(of.id).await? {
        if outgoing.get(&by).is_some_and(|first| *first <= upto) {
            let command = Command::Acknowledged { by, upto };
            log.submit(command, Vec::new()).await?;
        }
    }
    Ok(())
}

/// The parts of a record that are for a cell.
fn for_cell(here: i16, record: Record) -> Vec<(AggregateRules, i32, Vec<PartHead>)> {
    let (mut groups, mut row) = (Vec::new(), 0);
    for command in record.commands {
        let count = i32::try_from(command.rows()).unwrap_or(i32::MAX);
        if let Command::Forward { to, rules, parts } = command
            && to == here
        {
            groups.push((rules, row, parts));
        }
        row += count;
    }
    groups
}
