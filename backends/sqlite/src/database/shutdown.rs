//! Waiting until the threads of a file have closed it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Nobody waits longer: what is not closed by then is left as a kill would leave it, which loses
/// nothing.
const CLOSING_MAX: Duration = Duration::from_secs(3);

/// What a thread of a file holds for as long as it has the file open. Dropped after the
/// connection.
#[derive(Clone, Debug)]
pub(crate) struct Alive {
    _open: SyncSender<Infallible>,
    waits: Arc<AtomicBool>,
}

impl Alive {
    /// Does what may wait for another process, which then has the file open too: nobody waits
    /// for this thread meanwhile.
    pub(crate) fn waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.waits.store(true, Ordering::SeqCst);
        let answer = wait();
        self.waits.store(false, Ordering::SeqCst);
        answer
    }
}

/// Waits, when it is dropped, until no [`Alive`] of it is left. A process that ends meanwhile
/// would end the checkpoint of its last connection, and leave the WAL for the next one to read.
#[derive(Debug)]
pub(crate) struct Shutdown {
    gone: Mutex<Receiver<Infallible>>,
    waits: Arc<AtomicBool>,
}

/// A token for the threads, and who waits for them.
pub(crate) fn closing() -> (Alive, Shutdown) {
    let (open, gone) = sync_channel(0);
    let waits = Arc::new(AtomicBool::new(false));
    let alive = Alive {
        _open: open,
        waits: waits.clone(),
    };
    let gone = Mutex::new(gone);
    (alive, Shutdown { gone, waits })
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        if !self.waits.load(Ordering::SeqCst)
            && let Ok(gone) = self.gone.get_mut()
            && gone.recv_timeout(CLOSING_MAX) == Err(RecvTimeoutError::Timeout)
        {
            tracing::debug!("the database is still being closed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_for_every_thread() {
        let (alive, closing) = closing();
        let ended: Vec<_> = [alive.clone(), alive]
            .map(|alive| {
                let ended = Arc::new(AtomicBool::new(false));
                let told = ended.clone();
                std::thread::spawn(move || {
                    std::thread::yield_now();
                    told.store(true, Ordering::SeqCst);
                    drop(alive);
                });
                ended
            })
            .into();
        drop(closing);
        assert!(ended.iter().all(|ended| ended.load(Ordering::SeqCst)));
    }

    #[test]
    fn it_does_not_wait_for_one_that_waits_for_another_process() {
        let (alive, closing) = closing();
        let _still_open = alive.clone();
        alive.waiting(|| drop(closing));
    }
}
