//! What happened in one run, and what must hold of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longshore_core::MessageId;
use uuid::Uuid;

use crate::protocol::storage::{Bucket, Position};

/// What producers and workers saw.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// Messages that a producer tried to store.
    pub(super) tried: BTreeSet<MessageId>,
    /// Those that were acknowledged.
    pub(super) stored: BTreeSet<MessageId>,
    /// How often each was delivered.
    pub(super) delivered: BTreeMap<MessageId, u32>,
    /// Those whose handler succeeded and whose ack was sent.
    pub(super) finished: BTreeSet<MessageId>,
    /// The rows whose ack was applied. A message may have several, which two owners deliver
    /// apart from each other.
    pub(super) acked: BTreeSet<(Bucket, Position)>,
    /// Deliveries of rows that were acked before, in calm weather.
    pub(super) delivered_after_ack: u32,
    /// Until when the last delivery of each message is leased, since the start.
    pub(super) in_hands: BTreeMap<Uuid, Duration>,
    /// Deliveries while another one ran, in calm weather and by clocks that are right.
    pub(super) delivered_twice: u32,
    /// What housekeeping left behind.
    pub(super) left_over: Vec<String>,
}

impl History {
    /// Every promise that was broken.
    pub(super) fn judge(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for id in &self.stored {
            if !self.delivered.contains_key(id) {
                broken.push(format!("{id} was acknowledged and is lost"));
            } else if !self.finished.contains(id) {
                broken.push(format!("{id} was never finished"));
            }
        }
        for id in self.delivered.keys().filter(|id| !self.tried.contains(id)) {
            broken.push(format!("{id} was never sent"));
        }
        if self.delivered_after_ack > 0 {
            let times = self.delivered_after_ack;
            broken.push(format!(
                "{times} deliveries of acked messages in calm weather"
            ));
        }
        if self.delivered_twice > 0 {
            let times = self.delivered_twice;
            broken.push(format!("{times} deliveries while another one ran"));
        }
        broken.extend(self.left_over.iter().cloned());
        broken
    }
}
