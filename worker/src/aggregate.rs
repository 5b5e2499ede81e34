//! Aggregates: messages that are collected under a key and go on as one.
//!
//! An [`Aggregate`] takes parts, in handlers or anywhere else. A worker that was given its [`Release`]
//! closes what is due, folds the parts of each closed epoch into one body and enqueues that. Any
//! number of workers may do so at once: an epoch is one worker's at a time, and its message has the
//! same id whoever stores it.
//!
//! **Owns** the handle, the ways to fold, and the form in which an epoch lies in the dead letters.
//!
//! **When a process is killed.** Parts that were stored stay. What it was releasing is handed out to
//! another worker when its lease of 20 s ends.

pub(crate) mod dead_form;
mod fold;
mod handle;
mod refold;
pub(crate) mod release;

pub use fold::{Fold, Folding, fold_json};
pub use handle::{Aggregate, AggregateError};
pub(crate) use refold::Refold;
pub use release::{Judge, Release};
