//! An open file: one writer thread, one watching thread and some readers for all handles of
//! this process.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc as std_mpsc};
use std::time::Duration;

use longshore_core::{Clock, Result, StepListener, StoreError, StoreErrorKind};
use notify::RecommendedWatcher;
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use crate::clock::boot::Boot;
use crate::clock::moment::Clocks;
use crate::config::{Config, Durability};
use crate::database::call::{Call, Claim};
use crate::database::connect;
use crate::database::maintenance::Maintenance;
use crate::database::reader::Readers;
use crate::database::shutdown::{Shutdown, closing};
use crate::database::transaction::Tx;
use crate::database::writer::Writer;
use crate::error::{Outcome, deadline_exceeded, sql, unwritable};
use crate::file::host::Host;
use crate::file::init::{prepare, wait_for_turn};
use crate::file::location::FileLocation;
use crate::file::presence::Presence;
use crate::file::space::{RoomProbe, Space};
use crate::schema;
use crate::wakeup::bell::{Bell, WaiterLock, listen};
use crate::wakeup::{Waiters, Watchman};

/// Maximum calls queued for the writer; further ones wait for room, within their deadlines.
const CALLS_WAITING: usize = 1024;

/// What the handles of one file share.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) place: FileLocation,
    pub(crate) durability: Durability,
    /// The address of the wall clock is part of the key, so it must live as long.
    pub(crate) clocks: Clocks,
    pub(crate) readers: Readers,
    pub(crate) waiters: Arc<Waiters>,
    pub(crate) probe: RoomProbe,
    pub(crate) presence: Arc<Presence>,
    calls: mpsc::Sender<Call>,
    /// Kept for as long as the bell is to be heard.
    _ear: Option<RecommendedWatcher>,
    /// Dropped last: by then nothing else keeps the threads.
    _closing: Shutdown,
}

/// Handles with the same file, durability and clock share a database.
type Key = (PathBuf, Durability, usize);

static DATABASES: Mutex<Option<HashMap<Key, Weak<Database>>>> = Mutex::new(None);

impl Database {
    /// Opens the file, or joins those who have it open. Blocks; never past the call timeout.
    pub(crate) fn open(config: &Config, clock: &Arc<dyn Clock>, host: Host) -> Result<Arc<Self>> {
        let place = FileLocation::of(&config.path)?;
        // A database keeps its clock alive, so the address names it.
        let clock_address = Arc::as_ptr(clock).cast::<()>() as usize;
        let key = (place.file.clone(), config.durability, clock_address);
        let mut databases = DATABASES.lock().unwrap_or_else(PoisonError::into_inner);
        let databases = databases.get_or_insert_default();
        databases.retain(|_, database| database.strong_count() > 0);
        let open = databases.get(&key).and_then(Weak::upgrade);
        if let Some(database) =
            open.filter(|database| !database.calls.is_closed() && database.presence.now().is_none())
        {
            return Ok(database);
        }
        let database = Arc::new(Self::start(place, config, clock, host)?);
        databases.insert(key, Arc::downgrade(&database));
        Ok(database)
    }

    fn start(
        place: FileLocation,
        config: &Config,
        clock: &Arc<dyn Clock>,
        host: Host,
    ) -> Result<Self> {
        let lock = prepare(&place, config)?;
        let writer = connect::writer(&place.file, config.durability);
        let conn = writer.map_err(|error| sql("open", error))?;
        schema::check_open(&conn)?;
        let boot = Boot::of(&conn, &**clock, || {
            wait_for_turn(&lock, config.call_timeout)
        })
        .map_err(|error| sql("open", error))?;
        let clocks = Clocks::new(clock.clone(), boot);
        let watching = connect::reader(&place.file).map_err(|error| sql("open", error))?;
        let no_bell =
            |error| unwritable(&place.bell, "the file that wakes waiting receivers", error);
        let bell = Bell::open(&place.bell).map_err(no_bell)?;
        let waiter_lock = WaiterLock::open(&place.bell).map_err(no_bell)?;
        let presence = Arc::new(Presence::of(&place)?);
        let (poke, pokes) = std_mpsc::sync_channel(1);
        let ear = listen(&place.bell, poke.clone());
        let waiters = Waiters::new(poke);
        let listener: Arc<dyn StepListener> = waiters.clone();
        clock.on_step(Arc::downgrade(&listener));
        let (calls, waiting) = mpsc::channel(CALLS_WAITING);
        let (alive, closing) = closing();
        let started = Watchman {
            waiters: Arc::downgrade(&waiters),
            pokes,
            conn: watching,
            clocks: clocks.clone(),
            waiter_lock,
            presence: presence.clone(),
            look_again: host.look_again,
            _alive: alive.clone(),
        }
        .start(&place.file)
        .and_then(|()| {
            Writer {
                conn,
                lock,
                bell,
                calls: waiting,
                clocks: clocks.clone(),
                space: Space::new(&place.directory, host.room.clone()),
                waiters: Arc::downgrade(&waiters),
                upkeep: Maintenance::new(&place.file),
                presence: presence.clone(),
                alive,
            }
            .start(&place.file)
        });
        started.map_err(|error| {
            StoreError::new(
                StoreErrorKind::Unavailable,
                "open",
                "no thread can be started",
            )
            .caused_by(error)
        })?;
        Ok(Self {
            readers: Readers::new(&place.file),
            place,
            durability: config.durability,
            clocks,
            waiters,
            probe: host.room,
            presence,
            calls,
            _ear: ear,
            _closing: closing,
        })
    }

    /// Runs `work` in a transaction of the writer and answers once it is committed.
    ///
    /// # Errors
    ///
    /// `Timeout`: not applied if the work had not begun by the deadline, unknown otherwise.
    pub(crate) async fn write<T, F>(
        &self,
        operation: &'static str,
        timeout: Duration,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Outcome<T> + Send + 'static,
    {
        let deadline = tokio::time::Instant::now() + timeout;
        let (call, claim, answer) = Call::new(operation, work);
        let claim = Abandon(claim);
        match timeout_at(deadline, self.calls.send(call)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(stopped(operation)),
            Err(_) => return Err(deadline_exceeded(operation, timeout)),
        }
        match timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) if claim.0.abandon() => Err(stopped(operation)),
            Ok(Err(_)) => Err(stopped(operation).effect_unknown()),
            Err(_) if claim.0.abandon() => Err(deadline_exceeded(operation, timeout)),
            Err(_) => Err(deadline_exceeded(operation, timeout).effect_unknown()),
        }
    }
}

/// A caller that goes away gives its call up: what has not begun is not run for nobody.
struct Abandon(Arc<Claim>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn stopped(operation: &'static str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Unexpected,
        operation,
        "the thread that writes the database has stopped; open the store again",
    )
}
