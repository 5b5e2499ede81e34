//! The command line, called and read.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Ending, LONGSHORE, binary};

/// `longshore` on one store.
#[derive(Clone, Debug)]
pub struct Cli {
    store: String,
}

/// What a call printed and how it ended.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it ended.
    pub ending: Ending,
    /// The data.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

impl Cli {
    /// The command line on this store.
    pub fn new(store: impl Into<String>) -> Self {
        Self {
            store: store.into(),
        }
    }

    /// The URL of the store.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Calls a verb.
    pub fn call(&self, arguments: &[&str]) -> Answer {
        self.call_with(arguments, b"")
    }

    /// Calls a verb with this on its standard input.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn call_with(&self, arguments: &[&str], input: &[u8]) -> Answer {
        let mut command = Command::new(binary(LONGSHORE));
        command
            .args(["--store", &self.store, "--json"])
            .args(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("longshore starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        std::thread::scope(|scope| {
            // A thread of its own: a program that prints before it has read all would block both.
            // One that does not read to the end closes the pipe, and that is its right.
            scope.spawn(move || stdin.write_all(input).ok());
            let output = child.wait_with_output().expect("longshore can be awaited");
            Answer {
                ending: output.status.into(),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            }
        })
    }

    /// Calls a verb that must succeed, for its JSON.
    ///
    /// # Panics
    ///
    /// When it fails or prints no JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.call(arguments).json()
    }

    /// The row of a queue in `longshore queues`; null before the queue exists.
    ///
    /// # Panics
    ///
    /// When the store does not answer.
    pub fn queue(&self, queue: &str) -> Value {
        let rows = self.json(&["queues"]);
        let rows = rows.as_array().expect("queues are a list");
        let found = rows.iter().find(|row| row["queue"] == queue);
        found.cloned().unwrap_or_default()
    }

    /// How many messages of a queue are waiting, delayed or leased.
    pub fn live(&self, queue: &str) -> u64 {
        let row = self.queue(queue);
        let count = |state: &str| row[state].as_u64().unwrap_or(0);
        count("waiting") + count("delayed") + count("leased")
    }

    /// The dead letters of a queue, all of them.
    ///
    /// # Panics
    ///
    /// When the list is no list.
    pub fn dead(&self, queue: &str) -> Vec<Value> {
        let list = self.json(&["dead", "list", queue, "--limit", "100000"]);
        list.as_array().expect("dead letters are a list").clone()
    }
}

impl Answer {
    /// The JSON it printed.
    ///
    /// # Panics
    ///
    /// When it failed or printed something else.
    pub fn json(&self) -> Value {
        assert_eq!(self.ending, Ending::Code(0), "{self:?}");
        let parsed = serde_json::from_str(&self.stdout);
        parsed.unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that it ended with this exit code and one plain sentence, no dump of a program.
    ///
    /// # Panics
    ///
    /// When it did not.
    pub fn refuses(&self, code: i32, saying: &str) {
        assert_eq!(self.ending, Ending::Code(code), "{self:?}");
        assert!(self.stderr.contains(saying), "no {saying:?} in {self:?}");
        for dump in ["panicked", "Err(", "Error {", "stack backtrace"] {
            assert!(!self.stderr.contains(dump), "a dump: {self:?}");
        }
        let lines = self
            .stderr
            .lines()
            .filter(|line| !line.trim().is_empty())
            .count();
        assert!(
            (1..=3).contains(&lines),
            "one sentence, not {lines} lines: {self:?}"
        );
    }
}
