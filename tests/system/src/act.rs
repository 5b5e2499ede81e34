//! What the jobs of these tests tell their worker to do.

use longshore::core::Job;
use serde::{Deserialize, Serialize};

/// A job of these tests.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Work {
    /// Its number in the test, which the lines of the handlers name.
    pub key: u64,
    /// What to do.
    pub act: Act,
}

/// What a worker does with a job.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Be done after this many milliseconds.
    Take(u64),
    /// End the whole process at once, as a fault in native code would.
    Die,
    /// Never be done, and let the runtime go on.
    Hang,
    /// Be done when the file `go` stands beside the lines of the handlers.
    Wait,
}

impl Job for Work {
    const KIND: &'static str = "work";
}

impl Work {
    /// A job.
    pub fn new(key: u64, act: Act) -> Self {
        Self { key, act }
    }

    /// A line for `longshore enqueue --jsonl`.
    pub fn line(&self) -> String {
        serde_json::json!({ "kind": Self::KIND, "body": self }).to_string() + "\n"
    }

    /// The same, as a member of a group.
    pub fn line_of_group(&self, group: u64) -> String {
        let group = format!("g{group}");
        serde_json::json!({ "kind": Self::KIND, "body": self, "group": group }).to_string() + "\n"
    }
}
