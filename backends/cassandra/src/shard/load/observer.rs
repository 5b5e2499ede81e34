//! Looking at a shard while another process works at it.

use longshore_core::{Result, Timestamp};

use crate::protocol::stream_kind;
use crate::shard::Shard;

/// In which order the streams are looked at. Housekeeping moves messages from the first of them to
/// the last: who reads a place before the one that its messages move to meets each of them at least
/// once. The delayed ones also move to later buckets of their own stream, which is read again.
pub(crate) const LOOKS: [&[i8]; 4] = [
    &stream_kind::PRIORITIES,
    &[stream_kind::DELAYED],
    &[stream_kind::DELAYED],
    &[stream_kind::DEAD, stream_kind::HOLDING],
];

impl Shard {
    /// Reads as much as the window holds.
    pub(crate) async fn look(&mut self, now: Timestamp) -> Result<()> {
        for kinds in LOOKS {
            self.poll(kinds, now).await?;
        }
        Ok(())
    }
}
