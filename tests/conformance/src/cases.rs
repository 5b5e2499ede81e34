//! The table of cases, by topic.

mod aggregates;
mod coordination;
mod delivery;
mod faults;
mod groups;
mod operating;
mod storing;

use crate::Case;

const TOPICS: &[&[Case]] = &[
    storing::enqueue::CASES,
    delivery::receive::CASES,
    delivery::wake::CASES,
    delivery::attempts::CASES,
    delivery::records::CASES,
    delivery::settle::CASES,
    delivery::stale::CASES,
    delivery::extend::CASES,
    delivery::release::CASES,
    delivery::checkpoint::CASES,
    delivery::lanes::CASES,
    groups::CASES,
    groups::group_heads::CASES,
    groups::parking::CASES,
    delivery::expiry::CASES,
    operating::dead_letters::CASES,
    operating::redrive::CASES,
    storing::dedup::CASES,
    storing::ids::CASES,
    storing::limits::CASES,
    operating::pause::CASES,
    operating::settings::CASES,
    operating::admin::CASES,
    operating::changes::CASES,
    operating::check::CASES,
    operating::cursors::CASES,
    operating::export_adopt::CASES,
    operating::moving::CASES,
    operating::deleting::CASES,
    operating::held_queues::CASES,
    storing::kept::CASES,
    coordination::workers::CASES,
    coordination::leases::CASES,
    coordination::progress::CASES,
    faults::damage::CASES,
    faults::extremes::CASES,
    faults::concurrency::CASES,
    faults::fleet::CASES,
    faults::cancellation::CASES,
    aggregates::parts::CASES,
    aggregates::closing::CASES,
    aggregates::predicates::CASES,
    aggregates::releasing::CASES,
    aggregates::late::CASES,
    aggregates::lists::CASES,
    aggregates::races::CASES,
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

    /// The numbers of the rules, as their headings say.
    fn rules() -> Vec<u8> {
        let contract = include_str!("../../../docs/contract.md");
        let headings = contract.lines().filter_map(|line| line.strip_prefix("## "));
        let numbers = headings.filter_map(|heading| heading.split_once(". "));
        numbers
            .map(|(number, _)| number.parse().expect("a rule has a number"))
            .collect()
    }

    #[test]
    fn every_rule_of_the_contract_has_cases_and_every_case_a_rule() {
        let rules = rules();
        let numbered: Vec<u8> = (1..).take(rules.len()).collect();
        assert_eq!(rules, numbered, "the rules are numbered without a gap");
        for rule in &rules {
            assert!(cases().any(|case| case.rule == *rule), "rule {rule}");
        }
        for case in cases() {
            assert!(rules.contains(&case.rule), "{}: {}", case.name, case.rule);
        }
    }

    #[test]
    fn a_flaw_names_cases_that_exist() {
        let names: HashSet<_> = cases().map(|case| case.name).collect();
        for flaw in crate::broken::Flaw::ALL {
            for name in flaw.noticed_by() {
                assert!(names.contains(name), "{flaw:?} names {name}");
            }
        }
        for flaw in crate::broken::AggregateFlaw::ALL {
            for name in flaw.noticed_by() {
                assert!(names.contains(name), "{flaw:?} names {name}");
            }
        }
    }
}
