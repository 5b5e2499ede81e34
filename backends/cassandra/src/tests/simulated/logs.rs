//! The logs of aggregates under faults: nothing is lost, doubled or left behind.

use super::log_cells::{self, CellFault};
use super::log_faults::LogFault;
use super::log_run::{Seen, play};

/// Runs of the quick test.
const SEEDS: u64 = 60;
/// Runs of `./tests/run seeds`.
const ALL_SEEDS: u64 = 5_000;
/// A fault has to be noticed within so many runs.
const SEEDS_TO_FIND: u64 = 60;

fn nothing_is_wrong(seeds: u64) {
    let (mut snapshots, mut deleted) = (0, 0);
    for seed in 0..seeds {
        let Seen {
            wrong,
            snapshots: of_run,
            pages_deleted,
            ..
        } = play(seed, None);
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
        (snapshots, deleted) = (snapshots + of_run, deleted + pages_deleted);
    }
    // Or nothing was tried.
    assert!(snapshots > 0 && deleted > 0, "{snapshots} {deleted}");
}

#[test]
fn aggregates_lose_and_double_nothing() {
    nothing_is_wrong(SEEDS);
}

#[test]
#[ignore = "minutes: `./tests/run seeds`"]
fn all_seeds_of_aggregates_lose_and_double_nothing() {
    nothing_is_wrong(ALL_SEEDS);
}

#[test]
fn a_run_of_aggregates_is_the_same_each_time() {
    for seed in [3, 7] {
        assert_eq!(play(seed, None), play(seed, None), "seed {seed}");
    }
}

fn is_noticed(fault: LogFault) {
    let noticed = |seed: u64| !play(seed, Some(fault)).wrong.is_empty();
    let found = (0..SEEDS_TO_FIND).any(noticed);
    assert!(found, "{fault:?} was not noticed in {SEEDS_TO_FIND} seeds");
}

#[test]
fn a_head_that_is_written_whatever_it_is_is_noticed() {
    is_noticed(LogFault::PlainWrite);
}

#[test]
fn a_head_before_what_it_names_is_noticed() {
    is_noticed(LogFault::HeadFirst);
}

#[test]
fn two_records_of_one_name_are_noticed() {
    is_noticed(LogFault::OneNameForTwo);
}

#[test]
fn a_record_that_is_not_played_is_noticed() {
    is_noticed(LogFault::Gap);
}

#[test]
fn a_page_deleted_too_early_is_noticed() {
    is_noticed(LogFault::LivePageDeleted);
}

#[test]
fn a_deletion_that_late_writes_survive_is_noticed() {
    is_noticed(LogFault::ShortDeletion);
}

#[test]
fn a_snapshot_deleted_while_the_head_names_it_is_noticed() {
    is_noticed(LogFault::AdoptedDeleted);
}

fn nothing_is_wrong_in_two_cells(seeds: u64) {
    for seed in 0..seeds {
        let wrong = log_cells::play(seed, None).wrong;
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
}

#[test]
fn two_cells_lose_and_double_nothing() {
    nothing_is_wrong_in_two_cells(SEEDS);
}

#[test]
#[ignore = "minutes: `./tests/run seeds`"]
fn all_seeds_of_two_cells_lose_and_double_nothing() {
    nothing_is_wrong_in_two_cells(ALL_SEEDS);
}

fn is_noticed_in_two_cells(fault: CellFault) {
    let noticed = |seed: u64| !log_cells::play(seed, Some(fault)).wrong.is_empty();
    let found = (0..SEEDS_TO_FIND).any(noticed);
    assert!(found, "{fault:?} was not noticed in {SEEDS_TO_FIND} seeds");
}

#[test]
fn a_gap_that_is_passed_over_is_noticed() {
    is_noticed_in_two_cells(CellFault::GapPassed);
}

#[test]
fn an_acknowledgement_of_what_was_not_taken_is_noticed() {
    is_noticed_in_two_cells(CellFault::EarlyAcknowledgement);
}
