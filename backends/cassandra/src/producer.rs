//! Storing messages: what an enqueue needs beside the store itself.
//!
//! **Owns** the handshake by which a message is never stored into a bucket that is gone
//! ([`append`]), the queue in which calls of one process for one bucket wait to be sent together
//! ([`write_queue`]), the ids that tell a repeated call ([`recent_ids`]), and what is known of
//! depths ([`depth_cache`]).
//!
//! **Invariant.** A message is acknowledged only after its row is there at a quorum and the marks
//! of its stream, read behind that write, still show the bucket open. If the bucket was closed
//! meanwhile, the message is stored again in the next one; the copy that stands is decided by
//! [`crate::protocol`].
//!
//! **When a process is killed.** Before the row is written: nothing is there and nothing was
//! acknowledged. Between the row and the second look: the row may be delivered although nobody was
//! told; a repeat with the same ids makes copies, which are collapsed before they are delivered.
//! The caches are gone with the process, and none of them is needed for safety.
//!
//! **Who writes.** [`append`] inserts into `message` and `stream_bucket`; the call that stored them
//! leaves a notification in `doorbell`. Nothing here reads or writes events.

pub(crate) mod append;
pub(crate) mod depth_cache;
pub(crate) mod recent_ids;
pub(crate) mod write_queue;
