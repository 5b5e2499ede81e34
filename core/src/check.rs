//! What checks of a store find: the lines of a doctor's report, and the proof that each message of
//! a queue is in exactly one state.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{QueueName, Result};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// As it should be, or good to know.
    Ok,
    /// It works, but something should be changed.
    Warning,
    /// Messages are in danger or nothing works.
    Problem,
}

/// One line of a doctor's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at, such as `durability` or `disk space`.
    pub check: String,
    /// What was found.
    pub found: String,
    /// What to do about it; empty where nothing is to be done.
    pub fix: String,
}

impl Finding {
    /// A finding without a fix.
    pub fn new(severity: Severity, check: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            severity,
            check: check.into(),
            found: found.into(),
            fix: String::new(),
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }
}

/// What a store that keeps a message in several rows offers beside its control plane.
#[async_trait]
pub trait Fsck: fmt::Debug + Send + Sync + 'static {
    /// Reads all that is stored of a queue, and says in which state each message is and what is
    /// wrong; `None` if the queue does not exist. Reads without stopping anybody: what changes
    /// meanwhile is counted as it was before or as it is after.
    ///
    /// With `repair`, mends what can be mended without a doubt; a message is never removed by
    /// it. It may be run again, and beside workers.
    async fn fsck(&self, queue: &QueueName, repair: bool) -> Result<Option<Census>>;
}

/// The messages of a queue by their state, and what is wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Those that the next receive may take, or that wait for their group.
    pub waiting: u64,
    /// Those whose due time is ahead.
    pub delayed: u64,
    /// Those that a receipt holds.
    pub leased: u64,
    /// Dead letters.
    pub dead: u64,
    /// Rows of messages that are done and were not swept away yet.
    pub settled: u64,
    /// How many things were mended.
    pub repaired: u64,
    /// What is wrong; and what is good to know.
    pub findings: Vec<Finding>,
}
