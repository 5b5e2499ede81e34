//! Delivering a message again whose lease has ended.
//!
//! Another process may be extending that lease at the same time, or ending the delivery: it reads
//! the events of the message and writes one, and the owner does the same. So each of them reads
//! once more after its write. One of the two writes was there before the other's second read
//! began, so at least one of them sees the other, and stands back.

use std::collections::HashSet;

use futures_util::future::join_all;
use longshore_core::{Received, Result, Timestamp};
use uuid::Uuid;

use crate::protocol::event::Event;
use crate::protocol::storage::Storage;
use crate::shard::entry::Address;
use crate::shard::load::read;

/// Messages that are read at a time.
const AT_ONCE: usize = 16;

/// A delivery after a lease that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again {
    pub(crate) address: Address,
    /// Of the new delivery; that of the one before is one less.
    pub(crate) serial: i32,
    /// When the lease before it ended.
    pub(crate) ended: Timestamp,
}

/// Takes those off what is handed out whose delivery before was extended or ended meanwhile. To be
/// called once the leases are written. They come back when their new leases end, in the state that
/// the end left.
pub(crate) async fn withdraw(storage: &dyn Storage, received: &mut Received, again: &[Again]) {
    let mut withdrawn = HashSet::new();
    for some in again.chunks(AT_ONCE) {
        let looks = join_all(some.iter().map(|one| one.goes_on(storage))).await;
        for (one, goes_on) in some.iter().zip(looks) {
            // What is not known is left to the end of the lease.
            if !goes_on.unwrap_or(false) {
                withdrawn.insert(one.address.1.id);
            }
        }
    }
    let is_kept = |id: Uuid| !withdrawn.contains(&id);
    received
        .deliveries
        .retain(|one| is_kept(one.message.id.as_uuid()));
}

impl Again {
    /// Whether the new delivery stands.
    async fn goes_on(&self, storage: &dyn Storage) -> Result<bool> {
        let (bucket, position) = self.address;
        let events = read::by_position(&storage.events_of(bucket, position).await?);
        let events = events.get(&position).map_or(&[][..], Vec::as_slice);
        for (serial, event) in events {
            let is_before = serial + 1 == self.serial;
            match event {
                Event::Done { .. } => return Ok(false),
                Event::Extended { until } if is_before && *until > self.ended => return Ok(false),
                Event::Became(_) if is_before => {
                    // The process that wrote it may have been told that it holds.
                    let row = event.row(position, self.serial);
                    storage.put_events(bucket, &[row]).await?;
                    return Ok(false);
                }
                _ => {}
            }
        }
        Ok(true)
    }
}
