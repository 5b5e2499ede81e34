//! The table of cases, by topic.

mod admin;
mod attempts;
mod cancellation;
mod changes;
mod check;
mod checkpoint;
mod concurrency;
mod cursors;
mod damage;
mod dead_letters;
mod dedup;
mod deleting;
mod enqueue;
mod expiry;
mod export_adopt;
mod extend;
mod extremes;
mod fleet;
mod group_heads;
mod groups;
mod held_queues;
mod ids;
mod kept;
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
mod stale;
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
    stale::CASES,
    extend::CASES,
    release::CASES,
    checkpoint::CASES,
    lanes::CASES,
    groups::CASES,
    group_heads::CASES,
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
    changes::CASES,
    check::CASES,
    cursors::CASES,
    export_adopt::CASES,
    moving::CASES,
    deleting::CASES,
    held_queues::CASES,
    kept::CASES,
    workers::CASES,
    leases::CASES,
    progress::CASES,
    damage::CASES,
    extremes::CASES,
    concurrency::CASES,
    fleet::CASES,
    cancellation::CASES,
];

/// All cases, in the order of their topics.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    TOPICS.iter().copied().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_sentences_of_their_own() {
        let names: HashSet<_> = cases().map(|case| case.name).collect();
        assert_eq!(names.len(), cases().count());
        for name in names {
            let (topic, sentence) = name.split_once("::").expect("a topic");
            assert!(!topic.is_empty() && sentence.contains('_'), "{name}");
        }
    }

    #[test]
    fn every_rule_has_cases_and_a_flaw_names_cases_that_exist() {
        for rule in 1..=13 {
            assert!(cases().any(|case| case.rule == rule), "rule {rule}");
        }
        let names: HashSet<_> = cases().map(|case| case.name).collect();
        for flaw in crate::broken::Flaw::ALL {
            for name in flaw.noticed_by() {
                assert!(names.contains(name), "{flaw:?} names {name}");
            }
        }
    }
}
