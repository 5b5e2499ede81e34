//! A row of `fsck`.

use longshore::core::{Census, Finding, QueueName};
use serde::Serialize;

/// The messages of a queue by their state, and what is wrong with them.
#[derive(Debug, Serialize)]
pub(crate) struct FsckRow<'a> {
    queue: &'a str,
    waiting: u64,
    delayed: u64,
    leased: u64,
    dead: u64,
    settled: u64,
    repaired: u64,
    findings: &'a [Finding],
}

impl<'a> FsckRow<'a> {
    pub(crate) fn of(queue: &'a QueueName, census: &'a Census) -> Self {
        Self {
            queue: queue.as_str(),
            waiting: census.waiting,
            delayed: census.delayed,
            leased: census.leased,
            dead: census.dead,
            settled: census.settled,
            repaired: census.repaired,
            findings: &census.findings,
        }
    }
}
