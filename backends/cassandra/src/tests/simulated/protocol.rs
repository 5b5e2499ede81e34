//! No seed loses a message; each step that is left out loses some. Nor does any deliver one twice
//! at a time in calm weather; each step of the leases that is left out does.

use std::sync::atomic::{AtomicU64, Ordering};

use super::broken::Fault;
use super::run::{Cast, play};

/// How many seeds are played with the other unit tests.
const SEEDS: u64 = 2000;
/// … and of those with owners, which take longer.
const SEEDS_OF_OWNERS: u64 = 200;
/// How many are played, optimised, by `./tests/run seeds`.
const ALL_SEEDS: u64 = 10_000;
/// Within so many seeds a missing step must be noticed: 20 in a thousand is the rarest.
const SEEDS_TO_FIND: u64 = 1000;

/// Plays seeds on all processors; answers the first failures, by seed.
fn failures(
    seeds: u64,
    cast: Cast,
    fault: Option<Fault>,
    enough: usize,
) -> Vec<(u64, Vec<String>)> {
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let play_some = || {
        let mut found = Vec::new();
        while found.len() < enough {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                break;
            }
            let broken = play(seed, cast, fault).judge();
            if !broken.is_empty() {
                found.push((seed, broken));
            }
        }
        found
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(play_some)).collect();
        let found = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"));
        found.collect()
    })
}

fn nothing_is_lost(seeds: u64, cast: Cast) {
    let failures = failures(seeds, cast, None, 3);
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn nothing_that_was_acknowledged_is_lost() {
    nothing_is_lost(SEEDS, Cast::Believers);
}

#[test]
fn owners_lose_nothing_and_deliver_nothing_twice_at_a_time() {
    nothing_is_lost(SEEDS_OF_OWNERS, Cast::Owners);
}

#[test]
#[ignore = "minutes: `./tests/run seeds`"]
fn all_seeds_lose_nothing() {
    nothing_is_lost(ALL_SEEDS, Cast::Believers);
}

#[test]
#[ignore = "minutes: `./tests/run seeds`"]
fn all_seeds_of_owners_lose_nothing() {
    nothing_is_lost(ALL_SEEDS, Cast::Owners);
}

#[test]
fn a_run_is_the_same_each_time() {
    for seed in [3, 7] {
        let play = || play(seed, Cast::Believers, None);
        assert_eq!(play(), play(), "seed {seed}");
    }
}

fn is_noticed(cast: Cast, fault: Fault, words: &str) {
    let failures = failures(SEEDS_TO_FIND, cast, Some(fault), 1);
    let mut lost = failures.iter().flat_map(|(_, broken)| broken);
    assert!(
        lost.any(|broken| broken.contains(words)),
        "{fault:?} was not noticed in {SEEDS_TO_FIND} seeds: {failures:?}"
    );
}

fn loses(fault: Fault) {
    is_noticed(Cast::Believers, fault, "is lost");
}

fn doubles(fault: Fault) {
    is_noticed(Cast::Owners, fault, "deliveries");
}

#[test]
fn a_missing_check_after_the_write_is_noticed() {
    loses(Fault::NoCheckAfterWrite);
}

#[test]
fn a_cursor_over_ids_is_noticed() {
    loses(Fault::CursorOverIds);
}

#[test]
fn a_cursor_that_is_held_back_is_noticed() {
    loses(Fault::CursorHeldBack);
}

#[test]
fn a_scan_before_the_close_is_noticed() {
    loses(Fault::ScanBeforeClose);
}

#[test]
fn a_delete_without_another_look_is_noticed() {
    loses(Fault::DeleteUnverified);
}

#[test]
fn an_owner_that_goes_on_after_its_death_is_noticed() {
    doubles(Fault::Undying);
}

#[test]
fn an_owner_that_is_deaf_to_signs_of_life_is_noticed() {
    doubles(Fault::DeafToBeats);
}

#[test]
fn an_owner_that_forgets_what_is_leased_is_noticed() {
    doubles(Fault::ForgetLeases);
}
