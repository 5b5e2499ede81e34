//! One run of two cells: each with two processes and replicas of its own, and twice a cut between
//! them for up to a minute.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fastrand::Rng;
use futures_util::future::{join, join_all};
use longshore_core::{AggregateInfo, Result};
use tokio::time::sleep;
use uuid::Uuid;

use super::log_run::{Actor, LOG, Seen, locked};
use super::network::Network;
use super::process::Process;
use super::rows::Simulated;
use super::virtual_time::in_virtual_time;
use super::weather::{STORM, Window, millis};
use crate::aggregate::homes::Homes;
use crate::aggregate::pull::Peer;
use crate::aggregate::storage::{Head, LogId, LogStorage, PartRow, RecordRow};

/// Which step is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellFault {
    /// A record whose rows are not there yet is passed over.
    GapPassed,
    /// A cell is told that all is taken that it has.
    EarlyAcknowledgement,
}

/// The rows of another cell, as the replicas here have them: late, in any order, with gaps; during
/// a cut nothing new.
#[derive(Debug)]
struct Copied {
    rows: Simulated,
    cuts: Arc<[Window; 2]>,
    fault: Option<CellFault>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    head: Head,
    there: BTreeSet<(i64, Uuid, Option<i32>)>,
    acknowledged: Option<(i16, i64)>,
}

impl Copied {
    fn is_cut(&self) -> bool {
        let now = self.rows.0.network.elapsed();
        self.cuts.iter().any(|cut| cut.end_at(now).is_some())
    }

    /// Whether a row has come.
    fn is_there(&self, row: (i64, Uuid, Option<i32>)) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_late =
            self.is_cut() || (self.rows.0.network.elapsed() < STORM && self.rows.0.one_of(4) == 0);
        if !is_late {
            state.there.insert(row);
        }
        state.there.contains(&row)
    }
}

#[async_trait]
impl LogStorage for Copied {
    async fn head(&self, log: LogId) -> Result<Head> {
        let read = self.rows.head(log).await?;
        let is_cut = self.is_cut();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_cut {
            state.head = read;
        }
        Ok(state.head)
    }

    async fn head_serial(&self, log: LogId) -> Result<Head> {
        self.head(log).await
    }

    async fn swap(&self, _: LogId, _: Head, _: Head) -> Result<bool> {
        unreachable!("nobody moves the head of another cell")
    }

    async fn put_parts(&self, _: LogId, _: (i64, Uuid), _: i32, _: &[PartRow]) -> Result<()> {
        unreachable!("nobody writes the log of another cell")
    }

    async fn parts(
        &self,
        log: LogId,
        record: (i64, Uuid),
        rows: &[i32],
    ) -> Result<Vec<(i32, PartRow)>> {
        let mut found = self.rows.parts(log, record, rows).await?;
        if self.fault != Some(CellFault::GapPassed) {
            found.retain(|(row, _)| self.is_there((record.0, record.1, Some(*row))));
        }
        Ok(found)
    }

    async fn put_record(&self, _: LogId, _: &RecordRow) -> Result<()> {
        unreachable!("nobody writes the log of another cell")
    }

    async fn records(&self, log: LogId, page: i64, from: i64) -> Result<Vec<RecordRow>> {
        let mut found = self.rows.records(log, page, from).await?;
        if self.fault == Some(CellFault::GapPassed) {
            for row in &mut found {
                if !self.is_there((row.seq, row.id, None)) {
                    row.body = without_parts(&row.body)?;
                }
            }
        } else {
            found.retain(|row| self.is_there((row.seq, row.id, None)));
        }
        Ok(found)
    }

    async fn delete_page(&self, _: LogId, _: i64) -> Result<()> {
        unreachable!("nobody deletes in another cell")
    }

    async fn acknowledge(&self, log: LogId, by: i16, upto: i64) -> Result<()> {
        let upto = match self.fault {
            Some(CellFault::EarlyAcknowledgement) => upto + 5,
            Some(CellFault::GapPassed) | None => upto,
        };
        let send = {
            let is_cut = self.is_cut();
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.acknowledged = Some((by, upto));
            if is_cut {
                None
            } else {
                state.acknowledged.take()
            }
        };
        match send {
            Some((by, upto)) => self.rows.acknowledge(log, by, upto).await,
            None => Ok(()),
        }
    }

    async fn acknowledgements(&self, log: LogId) -> Result<Vec<(i16, i64)>> {
        self.rows.acknowledgements(log).await
    }

    async fn put_snapshot(&self, _: LogId, _: Uuid, _: i32, _: Bytes) -> Result<()> {
        unreachable!("nobody writes the log of another cell")
    }

    async fn snapshot(&self, log: LogId, snapshot: Uuid) -> Result<Vec<Bytes>> {
        self.rows.snapshot(log, snapshot).await
    }

    async fn delete_snapshot(&self, _: LogId, _: Uuid) -> Result<()> {
        unreachable!("nobody deletes in another cell")
    }
}

/// A record as if nothing were in it.
fn without_parts(body: &Bytes) -> Result<Bytes> {
    use crate::aggregate::record::{Record, decode, encode};
    let mut record: Record = decode("aggregate", body)?;
    record.commands.clear();
    Ok(encode("aggregate", &record)?.into())
}

/// Plays a seed; with a fault, all processes have it.
pub(super) fn play(run: u64, fault: Option<CellFault>) -> Seen {
    in_virtual_time(async {
        fastrand::seed(run);
        let mut rng = Rng::with_seed(run);
        let networks = [(); 2].map(|()| Arc::new(Network::new(&mut rng)));
        let cuts = Arc::new([(); 2].map(|()| Window::within(&mut rng, 60_000)));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let registered = [(0, "a".to_owned()), (1, "b".to_owned())];
        let mut number = 0;
        let mut actor = |rng: &mut Rng, cell: usize| {
            number += 1;
            let process = Process::new(&networks[cell], rng);
            let copied = Copied {
                rows: Simulated(Process::new(&networks[1 - cell], rng)),
                cuts: cuts.clone(),
                fault,
                state: Mutex::default(),
            };
            let (here, there) = (cell as i16, 1 - cell as i16);
            let homes = Homes::new(here, &registered[cell].1, &registered);
            let peer = Peer {
                cell: there,
                storage: Arc::new(copied),
                id: LOG,
            };
            let generation = cell as u64;
            let actor = Actor::new(process, None, &seen, number, generation);
            Arc::new(actor.beside(here, homes, peer))
        };
        let mut tasks = Vec::new();
        for cell in [0, 1] {
            for doomed in [false, true] {
                let actor = actor(&mut rng, cell);
                let (producer, closer) = (actor.clone(), actor.clone());
                let working = async move { join(producer.produce(), closer.close()).await };
                let working = tokio::spawn(async move {
                    working.await;
                });
                if doomed && rng.bool() {
                    let dies = millis(&mut rng, STORM.as_millis() as u64);
                    tasks.push(tokio::spawn(async move {
                        sleep(dies).await;
                        actor.process.kill();
                        working.abort();
                    }));
                } else {
                    tasks.push(working);
                }
            }
        }
        for ended in join_all(tasks).await {
            ended.expect("no task panics");
        }
        let last = [actor(&mut rng, 0), actor(&mut rng, 1)];
        finish(&last, &seen).await;
        let mut seen = locked(&seen);
        std::mem::take(&mut *seen)
    })
}

/// Both cells end what is left, one beside the other, and all is added up.
async fn finish(last: &[Arc<Actor>; 2], seen: &Mutex<Seen>) {
    sleep(Duration::from_secs(60)).await;
    let name = "orders".parse().expect("a name");
    let mut all = AggregateInfo::new(name);
    for info in [last[0].finish(), last[1].finish()].map(Box::pin) {
        match info.await {
            Ok(info) => {
                all.accepted += info.accepted;
                all.released += info.released;
                all.open += info.open;
                all.closed += info.closed;
            }
            Err(error) => locked(seen).wrong.push(format!("calm weather: {error}")),
        }
    }
    locked(seen).judge(&all);
}
