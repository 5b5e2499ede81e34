//! What the jobs of these tests tell their worker to do.

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
    /// Be done when the file `go` is in the worker's folder.
    Wait,
}

impl Work {
    /// A line for `longshore enqueue --jsonl`.
    pub fn line(&self) -> String {
        let body = serde_json::json!(self);
        serde_json::json!({ "kind": "work", "body": body }).to_string() + "\n"
    }
}
