//! The one thread of a process that writes a file.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_core::{StoreError, StoreErrorKind};
use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::clock::moment::Clocks;
use crate::database::call::Call;
use crate::database::maintenance::Maintenance;
use crate::database::shutdown::Alive;
use crate::database::transaction::Tx;
use crate::error::{Fault, Outcome, sql};
use crate::file::lock::SideLock;
use crate::file::presence::{Gone, Presence};
use crate::file::space::Space;
use crate::wakeup::Waiters;
use crate::wakeup::bell::Bell;

/// A transaction takes at most this many calls,
const CALLS_MAX: usize = 256;
/// and takes no further one after this long: other processes wait for their turn.
const FILLING_MAX: Duration = Duration::from_millis(5);

/// Runs calls, many to a transaction where many wait.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) lock: SideLock,
    pub(crate) bell: Bell,
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) clocks: Clocks,
    pub(crate) space: Space,
    pub(crate) waiters: std::sync::Weak<Waiters>,
    pub(crate) upkeep: Maintenance,
    pub(crate) presence: Arc<Presence>,
    /// Declared after the connection: dropped once that is closed.
    pub(crate) alive: Alive,
}

/// How a call ended inside its transaction.
enum Ran {
    /// It waits for the commit.
    Done { rings: bool },
    /// It had no effect; the transaction goes on.
    Refused(Fault),
    /// The transaction is gone, with everything that was in it.
    RolledBack(Fault),
}

impl Writer {
    /// Starts the thread. It ends when the store is closed.
    pub(crate) fn start(self, file: &Path) -> std::io::Result<()> {
        let name = format!("write {}", file.display());
        std::thread::Builder::new()
            .name(name.chars().take(15).collect())
            .spawn(move || self.run())
            .map(drop)
    }

    fn run(mut self) {
        while let Some(first) = self.calls.blocking_recv() {
            self.turn(first);
        }
    }

    /// One turn: takes the lock and runs a transaction of all calls that wait.
    fn turn(&mut self, first: Call) {
        let Self {
            conn,
            lock,
            bell,
            calls,
            clocks,
            space,
            waiters,
            upkeep,
            presence,
            alive,
        } = self;
        let turn = match alive.waiting(|| lock.take()) {
            Ok(turn) => turn,
            Err(error) => return first.failed(Fault::Refused(no_lock(error))),
        };
        let round = Round {
            conn,
            clocks,
            space,
        };
        if let Err(error) = round.begin() {
            return first.failed(Fault::Sql(error));
        }
        let committed = round.fill(first, calls);
        if let Some(gone) = presence.now() {
            drop(turn);
            return committed.went_with(gone);
        }
        if committed.rings && bell.is_heard() {
            bell.ring();
            if let Some(waiters) = waiters.upgrade() {
                waiters.look();
            }
        }
        upkeep.after_commit(conn, space, clocks);
        // Answered after the turn: waking the callers takes time that other processes can use.
        drop(turn);
        committed.answer();
    }
}

/// Calls that are on the disk.
#[derive(Default)]
struct Committed {
    calls: Vec<Call>,
    /// Whether something became receivable.
    rings: bool,
}

impl Committed {
    fn answer(self) {
        self.calls.into_iter().for_each(Call::done);
    }

    /// They are in a file that is not at its path any more: whether it was taken away with them or
    /// before them, nobody can tell.
    fn went_with(self, gone: &Gone) {
        for call in self.calls {
            let error = gone.error(call.operation()).effect_unknown();
            call.failed(Fault::Refused(error));
        }
    }
}

/// A transaction that is being filled.
struct Round<'a> {
    conn: &'a Connection,
    clocks: &'a Clocks,
    space: &'a Space,
}

impl Round<'_> {
    fn begin(&self) -> rusqlite::Result<()> {
        self.execute("BEGIN IMMEDIATE")
    }

    fn execute(&self, text: &str) -> rusqlite::Result<()> {
        self.conn.prepare_cached(text)?.execute(()).map(drop)
    }

    fn fill(&self, first: Call, calls: &mut mpsc::Receiver<Call>) -> Committed {
        let began = Instant::now();
        let mut done = Vec::new();
        let mut rings = false;
        let mut next = Some(first);
        while let Some(mut call) = next.take() {
            if call.start() {
                match self.run(&mut call, done.is_empty()) {
                    Ran::Done { rings: rang } => {
                        rings |= rang;
                        done.push(call);
                    }
                    Ran::Refused(fault) => call.failed(fault),
                    Ran::RolledBack(fault) if done.is_empty() => {
                        call.failed(fault);
                        return Committed::default();
                    }
                    Ran::RolledBack(_) => {
                        done.push(call);
                        return self.each_alone(done);
                    }
                }
            }
            if done.len() < CALLS_MAX && began.elapsed() < FILLING_MAX {
                next = calls.try_recv().ok();
            }
        }
        if done.is_empty() {
            self.roll_back();
            return Committed::default();
        }
        self.commit(done, rings)
    }

    /// Runs a call. The first one of a transaction needs no savepoint: if it fails nothing else
    /// is lost with it.
    fn run(&self, call: &mut Call, first: bool) -> Ran {
        let tx = Tx::new(self.conn, self.space, self.clocks.now(), call.operation());
        let result = if first {
            call.run(&tx)
        } else {
            self.isolated(call, &tx)
        };
        match result {
            Ok(()) => Ran::Done { rings: tx.rings() },
            Err(fault) if self.conn.is_autocommit() => Ran::RolledBack(fault),
            Err(fault) if first => {
                self.roll_back();
                Ran::RolledBack(fault)
            }
            Err(fault) => {
                if self.undo().is_ok() {
                    return Ran::Refused(fault);
                }
                self.roll_back();
                Ran::RolledBack(fault)
            }
        }
    }

    fn isolated(&self, call: &mut Call, tx: &Tx<'_>) -> Outcome<()> {
        self.execute("SAVEPOINT call")?;
        call.run(tx)?;
        Ok(self.execute("RELEASE call")?)
    }

    fn undo(&self) -> rusqlite::Result<()> {
        self.execute("ROLLBACK TO call")?;
        self.execute("RELEASE call")
    }

    /// Runs each call in a transaction of its own, after one of them took all of them down.
    fn each_alone(&self, calls: Vec<Call>) -> Committed {
        let mut all = Committed::default();
        for mut call in calls {
            if let Err(error) = self.begin() {
                call.failed(Fault::Sql(error));
                continue;
            }
            match self.run(&mut call, true) {
                Ran::Done { rings } => {
                    let mut one = self.commit(vec![call], rings);
                    all.calls.append(&mut one.calls);
                    all.rings |= one.rings;
                }
                Ran::Refused(fault) | Ran::RolledBack(fault) => call.failed(fault),
            }
        }
        all
    }

    /// Commits. An error here says nothing about what is on the disk: the calls hear so.
    fn commit(&self, calls: Vec<Call>, rings: bool) -> Committed {
        match self.execute("COMMIT") {
            Ok(()) => Committed { calls, rings },
            Err(error) => {
                self.roll_back();
                // A full disk is the likely cause: the WAL must not grow from here.
                self.space.look();
                let text = error.to_string();
                tracing::warn!(%error, "a commit failed");
                for call in calls {
                    let operation = call.operation();
                    let told = match &error {
                        rusqlite::Error::SqliteFailure(failure, _) => sql(
                            operation,
                            rusqlite::Error::SqliteFailure(*failure, Some(text.clone())),
                        ),
                        _ => sql(operation, rusqlite::Error::InvalidQuery),
                    };
                    call.failed(Fault::Refused(told.effect_unknown()));
                }
                Committed::default()
            }
        }
    }

    fn roll_back(&self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::warn!(%error, "a rollback failed");
        }
    }
}

fn no_lock(error: std::io::Error) -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        "lock",
        "the lock file beside the database cannot be locked; check the file system",
    )
    .caused_by(error)
}

#[cfg(test)]
mod tests;
