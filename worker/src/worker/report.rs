//! What a worker has done.

/// What a run did, counted when the store applied it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunReport {
    /// Messages that are done.
    pub acked: u64,
    /// Attempts that failed and are tried again.
    pub retried: u64,
    /// Messages that were dead-lettered.
    pub dead: u64,
    /// Deliveries that were given back uncharged.
    pub released: u64,
    /// Deliveries whose lease was lost while they were worked.
    pub lease_lost: u64,
    /// Finished deliveries whose settlement no store would take before the lease ended: the
    /// messages come back.
    pub dropped: u64,
}

/// The numbers of a running worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerStats {
    /// What it did so far.
    pub done: RunReport,
    /// Deliveries it received.
    pub received: u64,
    /// Of the released ones, how many had a kind that no handler here takes.
    pub unserved: u64,
    /// Calls of receive that failed.
    pub receive_errors: u64,
    /// How many jobs it can run at a time.
    pub slots: u64,
    /// How many deliveries it has in its hands: those that run, and those that wait for a slot of
    /// their handler.
    pub running: u64,
    /// Whether it was told to stop.
    pub draining: bool,
}
