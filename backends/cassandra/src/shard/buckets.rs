//! The life of a bucket: registered, read, closed, scanned, emptied, deleted.
//!
//! **Owns** how far each bucket was read and what of it is open ([`progress`]), the steps of its
//! life ([`maintain`], one page at a time by [`scan`]), moving the last messages of an old bucket
//! to a new one ([`relocate`]), deleting ([`retire`]), and what is noted for the next owner: how
//! far a bucket is settled ([`watermark`]) and how many messages lie behind ([`count`], [`depth`]).
//!
//! **Invariant.** A bucket is deleted only after it was closed by a lightweight transaction, read
//! again as a whole behind that, and all messages in it were found settled or moved. `closed_to`
//! and `done_to` only grow. Numbers and watermarks save work; nothing is deleted because of them.
//!
//! **When a process is killed.** Between close and scan: the next owner scans again from the
//! start. Between moving a message and marking the old row superseded: two copies, of which
//! [`crate::protocol`] lets one stand. Between the two deletes of a bucket: leftovers that `fsck`
//! finds and removes, in a bucket nobody reads.
//!
//! **Who writes.** The owner of the stripe: `stream_mark` by lightweight transactions, the notes
//! in `stream_bucket`, and the deletes of `message` and `message_event`. A process that only looks
//! at the numbers may note a count.

pub(crate) mod count;
pub(crate) mod depth;
pub(crate) mod maintain;
pub(crate) mod progress;
pub(crate) mod relocate;
pub(crate) mod retire;
pub(crate) mod scan;
pub(crate) mod watermark;
