//! The table of cases, by topic.

mod attempts;
mod checkpoint;
mod enqueue;
mod expiry;
mod extend;
mod lanes;
mod receive;
mod records;
mod release;
mod settle;

use crate::Case;

const TOPICS: &[&[Case]] = &[
    enqueue::CASES,
    receive::CASES,
    attempts::CASES,
    records::CASES,
    settle::CASES,
    extend::CASES,
    release::CASES,
    checkpoint::CASES,
    lanes::CASES,
    expiry::CASES,
];

/// All cases, in the order of their topics.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    TOPICS.iter().copied().flatten()
}
