//! The signals that ask a verb to end, for verbs that must put something in order first. All other
//! verbs leave signals to the system: every call of a store is whole or not at all.
//!
//! | signal | effect |
//! | --- | --- |
//! | INT, TERM, HUP | end in order; a second one ends now |
//! | QUIT | end now |
//! | USR1, USR2 | none |
//!
//! HUP says that the terminal is gone. Under `nohup`, which has it ignored, it stays ignored.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{CliError, Result};
use crate::exit::Exit;

/// Listens to all of them.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
    quit: Signal,
    /// Their default would end the process; nobody who sends them means that.
    _users: [Signal; 2],
}

impl Signals {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                CliError::new(Exit::Failed, format!("signals cannot be watched: {error}"))
            })
        };
        let hangup = (!hangup_is_ignored()).then(|| listen(SignalKind::hangup()));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: hangup.transpose()?,
            quit: listen(SignalKind::quit())?,
            _users: [
                listen(SignalKind::user_defined1())?,
                listen(SignalKind::user_defined2())?,
            ],
        })
    }

    /// The exit code of the next signal. Dropping the future loses none.
    pub(crate) async fn next(&mut self) -> Exit {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
            _ = hangup => Exit::HungUp,
            _ = self.quit.recv() => Exit::Quit,
        }
    }
}

/// Whether the program that started this process had SIGHUP ignored.
fn hangup_is_ignored() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return false;
    };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}
