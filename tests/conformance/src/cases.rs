//! The table of cases, by topic.

mod admin;
mod attempts;
mod cancellation;
mod checkpoint;
mod concurrency;
mod damage;
mod dead_letters;
mod dedup;
mod enqueue;
mod expiry;
mod export_adopt;
mod extend;
mod groups;
mod ids;
mod lanes;
mod leases;
mod limits;
mod moving;
mod parking;
mod pause;
mod progress;
mod receive;
mod records;
mod redrive;
mod release;
mod settings;
mod settle;
mod wake;
mod workers;

use crate::Case;

const TOPICS: &[&[Case]] = &[
    enqueue::CASES,
    receive::CASES,
    wake::CASES,
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
    admin::CASES,
    export_adopt::CASES,
    moving::CASES,
    workers::CASES,
    leases::CASES,
    progress::CASES,
    damage::CASES,
    concurrency::CASES,
    cancellation::CASES,
];

/// All cases, in the order of their topics.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    TOPICS.iter().copied().flatten()
}
