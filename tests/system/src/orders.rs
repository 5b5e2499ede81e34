//! What the programs of these tests are told, as one JSON argument.

use serde::{Deserialize, Serialize};

/// What a worker is told.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct WorkerOrder {
    /// The store.
    pub store: String,
    /// The queue to consume.
    pub queue: String,
    /// The file for the lines of its handlers.
    pub effects: String,
    /// The file for when its handlers began and until when they had their leases, if one is kept.
    pub leases: Option<String>,
    /// Which life of which worker this is, such as `w2.7`.
    pub life: String,
    /// How many jobs it runs at a time.
    pub slots: u32,
    /// How long its leases are.
    pub lease_ms: u64,
    /// How long a job may take.
    pub timeout_ms: u64,
    /// How long a drain may take.
    pub drain_ms: u64,
    /// How often a failed job is tried again.
    pub redeliveries: u32,
}

/// What a producer is told.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct ProducerOrder {
    /// The store.
    pub store: String,
    /// The queue to fill.
    pub queue: String,
    /// The file for what it tried and what was stored.
    pub ledger: String,
    /// The number of its first job; it counts up from there.
    pub first: u64,
    /// It stops by itself after this many.
    pub jobs: u64,
    /// The most jobs that go in one call.
    pub batch_max: u64,
    /// After its first call it waits until it can lock this file.
    pub gate: Option<String>,
    /// How long it waits between two calls.
    pub pace_ms: u64,
    /// Whether it goes on with the next jobs after a call that failed, rather than end.
    pub patient: bool,
}
