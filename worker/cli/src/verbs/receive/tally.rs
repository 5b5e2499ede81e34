//! What became of a batch that a program worked.

use longshore::core::{Disposition, Settled};
use serde::Serialize;

use crate::error::Result;
use crate::output::Stdout;
use crate::session::Session;

/// How many messages ended how.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tally {
    pub(super) acked: u64,
    retried: u64,
    dead: u64,
    released: u64,
    pub(super) lease_lost: u64,
}

impl Tally {
    /// Counts a settlement that was answered.
    pub(super) fn count(&mut self, settled: Settled, disposition: &Disposition) {
        *match (settled, disposition) {
            (Settled::Applied, Disposition::Ack) => &mut self.acked,
            (Settled::Applied, Disposition::Retry { .. }) => &mut self.retried,
            (Settled::Applied, Disposition::Release { .. }) => &mut self.released,
            (Settled::Applied, Disposition::DeadLetter { .. }) => &mut self.dead,
            _ => &mut self.lease_lost,
        } += 1;
    }

    /// Prints it: as the answer in JSON, else as a remark, since stdout is the program's.
    pub(super) fn print(&self, session: &Session) -> Result<()> {
        if session.json() {
            return Stdout::json(self);
        }
        session.note(format_args!(
            "{} acked, {} retried, {} dead, {} released, {} lost",
            self.acked, self.retried, self.dead, self.released, self.lease_lost
        ));
        Ok(())
    }
}
