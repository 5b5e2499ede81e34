//! How long a log grows.

/// Bounds of a log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of records behind a snapshot, or those of the snapshot where it has more.
    pub(crate) tail_bytes: usize,
    /// Records behind a snapshot.
    pub(crate) tail_records: i64,
    /// A process that announced a snapshot so many records ago is taken for dead.
    pub(crate) patience: i64,
    /// Bytes of one piece of a snapshot.
    pub(crate) piece_bytes: usize,
}

impl Bounds {
    pub(crate) const USUAL: Self = Self {
        tail_bytes: 256 * 1024,
        tail_records: 1_000,
        patience: 200,
        piece_bytes: 256 * 1024,
    };
}
