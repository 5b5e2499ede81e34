//! The signals that end a run: the first drains, the second or QUIT ends it now.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::tell_supervisor;
use crate::error::Result;
use crate::exit::Exit;
use crate::output::complain;
use crate::signals::Signals;

/// Who waits for signals.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    drain: CancellationToken,
    now: CancellationToken,
    signal: Arc<OnceLock<Exit>>,
}

impl Stop {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self> {
        let mut signals = Signals::listen()?;
        let stop = Self {
            drain: CancellationToken::new(),
            now: CancellationToken::new(),
            signal: Arc::default(),
        };
        let told = stop.clone();
        tokio::spawn(async move {
            let first = signals.next().await;
            let _ = told.signal.set(first);
            if first == Exit::Quit {
                complain("ending now; what runs comes back when its lease has ended");
                told.now.cancel();
                return;
            }
            complain("draining: running jobs end, the rest goes back; a second signal ends it now");
            told.drain.cancel();
            tell_supervisor(&[sd_notify::NotifyState::Stopping]);
            signals.next().await;
            told.now.cancel();
        });
        Ok(stop)
    }

    /// Ready at the first signal.
    pub(super) fn drain(&self) -> impl Future<Output = ()> + Send + use<> {
        self.drain.clone().cancelled_owned()
    }

    /// Ready at the second signal.
    pub(super) fn now(&self) -> impl Future<Output = ()> + Send + use<> {
        self.now.clone().cancelled_owned()
    }

    /// The first signal, if there was one.
    pub(super) fn signal(&self) -> Option<Exit> {
        self.signal.get().copied()
    }
}
