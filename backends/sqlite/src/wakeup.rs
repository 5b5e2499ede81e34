//! Receivers that wait for a message, and the thread that wakes them.

pub(crate) mod bell;

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_core::QueueName;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::clock::moment::Clocks;
use crate::database::shutdown::Alive;
use crate::file::presence::Presence;
use crate::receive::look::look;
use crate::wakeup::bell::WaiterLock;

type Waiting = HashMap<QueueName, VecDeque<oneshot::Sender<()>>>;

/// The receivers of this process that sleep, by queue.
#[derive(Debug)]
pub(crate) struct Waiters {
    waiting: Mutex<Waiting>,
    poke: SyncSender<()>,
}

impl Waiters {
    /// Nobody sleeps; `poke` makes the thread look.
    pub(crate) fn new(poke: SyncSender<()>) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            poke,
        })
    }

    /// Sleeps until there may be something to receive. It looks at least once after this call
    /// began, so nothing that came before is missed.
    pub(crate) async fn sleep(&self, queue: &QueueName) {
        let (wake, woken) = oneshot::channel();
        self.lock()
            .entry(queue.clone())
            .or_default()
            .push_back(wake);
        self.look();
        // An error means that the store was closed: the caller finds out by itself.
        let _ = woken.await;
    }

    /// Makes the thread look now.
    pub(crate) fn look(&self) {
        let _ = self.poke.try_send(());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nobody(&self) -> bool {
        self.lock().values().all(VecDeque::is_empty)
    }

    /// The queues that receives sleep for, with the number of waiters.
    fn wanted(&self) -> Vec<(QueueName, usize)> {
        let mut waiting = self.lock();
        waiting.retain(|_, waiters| {
            waiters.retain(|sleeper| !sleeper.is_closed());
            !waiters.is_empty()
        });
        waiting
            .iter()
            .map(|(queue, waiters)| (queue.clone(), waiters.len()))
            .collect()
    }

    /// Wakes as many waiters as there are messages: the others would find nothing.
    fn wake(&self, queue: &QueueName, count: usize) {
        let mut waiting = self.lock();
        let Some(waiters) = waiting.get_mut(queue) else {
            return;
        };
        let mut left = count;
        while left > 0
            && let Some(sleeper) = waiters.pop_front()
        {
            // A sleeper that went away passes its message on.
            left -= usize::from(sleeper.send(()).is_ok());
        }
    }
}

/// Looks for messages whenever it is poked, at the next due time and once in a while, and wakes
/// waiters. Ends when the store is closed.
pub(crate) struct Watchman {
    pub(crate) waiters: std::sync::Weak<Waiters>,
    pub(crate) pokes: Receiver<()>,
    pub(crate) conn: Connection,
    pub(crate) clocks: Clocks,
    pub(crate) waiter_lock: WaiterLock,
    pub(crate) presence: Arc<Presence>,
    /// Without a bell, waiters look again after this long.
    pub(crate) look_again: Duration,
    /// Declared after the connection: dropped once that is closed.
    pub(crate) _alive: Alive,
}

impl Watchman {
    /// Starts the thread.
    pub(crate) fn start(self, file: &Path) -> std::io::Result<()> {
        let name = format!("watch {}", file.display());
        std::thread::Builder::new()
            .name(name.chars().take(15).collect())
            .spawn(move || self.run())
            .map(drop)
    }

    fn run(mut self) {
        let mut pause = None;
        loop {
            let heard = match pause {
                None => self
                    .pokes
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
                Some(pause) => self.pokes.recv_timeout(pause),
            };
            if heard == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            let Some(waiters) = self.waiters.upgrade() else {
                return;
            };
            pause = self.round(&waiters);
            if waiters.nobody() {
                // Who comes now pokes, and is looked after in a new round.
                self.waiter_lock.end();
                pause = None;
            }
        }
    }

    /// Wakes who can be woken; answers how long to wait at most until the next round.
    fn round(&mut self, waiters: &Waiters) -> Option<Duration> {
        let wanted = waiters.wanted();
        if wanted.is_empty() {
            return None;
        }
        if self.presence.now().is_some() {
            // Each opens the file again, or tells its caller that there is none.
            for (queue, count) in wanted {
                waiters.wake(&queue, count);
            }
            return None;
        }
        self.waiter_lock.begin();
        let mut pause = self.look_again;
        for (queue, count) in wanted {
            let now = self.clocks.now();
            match look(&self.conn, &queue, now, count) {
                Ok(seen) => {
                    waiters.wake(&queue, seen.found);
                    if let Some(next) = seen.next {
                        pause = pause.min(next.since(now.wall).max(Duration::from_millis(1)));
                    }
                }
                // The receiver meets the same trouble and can tell its caller.
                Err(error) => {
                    tracing::debug!(%error, "looking for messages failed");
                    waiters.wake(&queue, count);
                }
            }
        }
        Some(pause)
    }
}

impl longshore_core::StepListener for Waiters {
    fn stepped(&self) {
        self.look();
    }
}
