//! Storing messages: the producer's half of the handshake that no message is lost by.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join, try_join_all};
use longshore_core::{Result, StoreError, StoreErrorKind, Timestamp};

use crate::protocol::storage::{Bucket, MessageRow, ROWS_MAX, Storage, Stream};
use crate::protocol::stream_kind;

/// A mutation holds no more bytes of messages than this, where it can be helped.
const BYTES_MAX: usize = 512 * 1024;

/// How often a batch is carried to another bucket before the call gives up.
const TRIES: usize = 8;

/// Maximum remembered registrations; they are cleared when full.
const REGISTERED_MAX: usize = 10_000;

/// Stores messages in streams.
pub(crate) struct Producer {
    storage: Arc<dyn Storage>,
    /// Buckets whose registration was acknowledged to this process.
    registered: Mutex<HashSet<Bucket>>,
    /// What this process last read of each stream.
    closed: Mutex<HashMap<Stream, i64>>,
}

impl Producer {
    /// A producer that knows nothing yet.
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self {
            storage,
            registered: Mutex::default(),
            closed: Mutex::default(),
        }
    }

    /// Stores messages in the bucket of `at`, or a later one: one mutation, of at most
    /// [`ROWS_MAX`] rows.
    pub(crate) async fn store(
        &self,
        stream: Stream,
        at: Timestamp,
        rows: &[MessageRow],
    ) -> Result<Bucket> {
        self.store_all(stream, at, &[rows]).await
    }

    /// Stores messages in the bucket of `at`, or a later one: a mutation for each part, all at the
    /// same time.
    ///
    /// They are acknowledged only when, *after* message and registration were written, a read shows
    /// that the bucket is not closed. The process that closes a bucket reads its index and its
    /// messages after the close was confirmed: so one of the two sees the other. Where the bucket
    /// is closed the same rows are written to the next one; the copies left behind have the same id
    /// and revision, and are collapsed.
    pub(crate) async fn store_all(
        &self,
        stream: Stream,
        at: Timestamp,
        parts: &[&[MessageRow]],
    ) -> Result<Bucket> {
        let mut bucket = stream_kind::bucket_at(stream, at);
        for attempt in 0..TRIES {
            bucket.number = bucket.number.max(self.closed_to(stream));
            let written = join(self.register(bucket), self.put(bucket, parts));
            let (registered, put) = written.await;
            put.map_err(|error| after(attempt, error))?;
            registered.map_err(StoreError::effect_unknown)?;
            let marks = self.storage.marks(stream).await;
            let marks = marks.map_err(StoreError::effect_unknown)?;
            if marks.closed_to <= bucket.number {
                self.remember(bucket);
                return Ok(bucket);
            }
            let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
            closed.insert(stream, marks.closed_to);
        }
        let words = "its buckets were closed faster than it could write; the clock of this host \
                     or of the owner is wrong";
        Err(StoreError::new(StoreErrorKind::Conflict, "enqueue", words).effect_unknown())
    }

    async fn put(&self, bucket: Bucket, parts: &[&[MessageRow]]) -> Result<()> {
        if let [rows] = parts {
            return self.storage.put_messages(bucket, rows).await;
        }
        let puts = parts
            .iter()
            .map(|rows| self.storage.put_messages(bucket, rows));
        let done = try_join_all(puts).await;
        // Other parts may be there.
        done.map(drop).map_err(StoreError::effect_unknown)
    }

    fn closed_to(&self, stream: Stream) -> i64 {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.get(&stream).copied().unwrap_or(i64::MIN)
    }

    async fn register(&self, bucket: Bucket) -> Result<()> {
        let known = {
            let registered = self.registered.lock();
            registered
                .unwrap_or_else(PoisonError::into_inner)
                .contains(&bucket)
        };
        if known {
            return Ok(());
        }
        self.storage.register(bucket).await
    }

    fn remember(&self, bucket: Bucket) {
        let registered = self.registered.lock();
        let mut registered = registered.unwrap_or_else(PoisonError::into_inner);
        if registered.len() >= REGISTERED_MAX {
            registered.clear();
        }
        registered.insert(bucket);
    }
}

/// A failure after a first bucket was written may have stored the messages there.
fn after(attempt: usize, error: StoreError) -> StoreError {
    if attempt == 0 {
        error
    } else {
        error.effect_unknown()
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}

/// Cuts rows into mutations.
pub(crate) fn cut(rows: &[MessageRow]) -> Vec<&[MessageRow]> {
    let (mut parts, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (index, row) in rows.iter().enumerate() {
        let size = row.head.len() + row.body.len() + row.start.len() + 64;
        if index > from && (index - from == ROWS_MAX || bytes + size > BYTES_MAX) {
            parts.push(&rows[from..index]);
            (from, bytes) = (index, 0);
        }
        bytes += size;
    }
    parts.push(&rows[from..]);
    parts
}
