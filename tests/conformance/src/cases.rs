//! The table of cases, by topic.

mod attempts;
mod checkpoint;
mod dead_letters;
mod dedup;
mod enqueue;
mod expiry;
mod extend;
mod groups;
mod ids;
mod lanes;
mod limits;
mod parking;
mod pause;
mod receive;
mod records;
mod redrive;
mod release;
mod settings;
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
    groups::CASES,
    parking::CASES,
    expiry::CASES,
    dead_letters::CASES,
    redrive::CASES,
    dedup::CASES,
    ids::CASES,
    limits::CASES,
    pause::CASES,
    settings::CASES,
];

/// All cases, in the order of their topics.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    TOPICS.iter().copied().flatten()
}
