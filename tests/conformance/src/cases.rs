//! The table of cases, by topic.

mod enqueue;
mod receive;
mod settle;

use crate::Case;

/// All cases, in the order of their topics.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [enqueue::CASES, receive::CASES, settle::CASES]
        .into_iter()
        .flatten()
}
