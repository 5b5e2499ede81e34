//! How much of a shard is kept in memory.

/// The most that is kept of one shard, in messages. What lies behind is read when there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Ready messages of one priority: while there are so many, no more are read.
    pub(crate) ready: usize,
    /// Messages of all priorities, ready or not: leased, in back-off, behind others of their group.
    pub(crate) held: usize,
    /// Delayed messages that fall due soon.
    pub(crate) soon: usize,
    /// Delayed messages that fall due later, and dead letters: so many of each.
    pub(crate) far: usize,
    /// Messages that are read before callers that wait for the shard are served.
    pub(crate) part: usize,
}

impl Window {
    /// Of the owner.
    pub(crate) const OWNER: Self = Self {
        ready: 10_000,
        held: 120_000,
        soon: 40_000,
        far: 1000,
        part: 1000,
    };

    /// Of a process that only looks.
    pub(crate) const LOOK: Self = Self {
        ready: 1000,
        held: 3000,
        soon: 1000,
        far: 1000,
        part: usize::MAX,
    };
}
