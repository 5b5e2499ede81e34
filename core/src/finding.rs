//! What a check of a store found.

use serde::{Deserialize, Serialize};

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
