//! Planted histories: each breaks one promise, and exactly that one is found.

use std::collections::BTreeMap;

use super::{Violation, inside_leases, judge};
use crate::{Effects, History, LeasedStart};

/// A sound history of two workers, one of which was killed twice.
fn sound() -> Vec<&'static str> {
    vec![
        "start 1 1 w1.1",
        "start 2 1 w2.1",
        "end 1 1 w1.1",
        // w1.1 is killed between the end and the ack: the job comes again.
        "start 1 2 w2.1",
        "end 2 1 w2.1",
        "end 1 2 w2.1",
        // w1.2 is killed in the middle of its work.
        "start 3 1 w1.2",
        "start 3 2 w1.3",
        "end 3 2 w1.3",
    ]
}

fn history(lines: &[&str]) -> History {
    History {
        tried: (1..=9).collect(),
        stored: (1..=5).collect(),
        effects: Effects::parse(lines),
        killed: ["w1.1", "w1.2"].map(String::from).into(),
        live: [4].into(),
        dead: [(5, 1)].into(),
        groups: BTreeMap::new(),
        leased_max: 2,
    }
}

fn with(lines: &[&'static str]) -> Vec<Violation> {
    judge(&history(&[sound(), lines.to_vec()].concat()))
}

#[test]
fn a_sound_history_breaks_nothing() {
    assert_eq!(with(&[]), []);
    // Nobody was told that these were stored: they may be there or not.
    assert_eq!(with(&["start 6 1 w2.1", "end 6 1 w2.1"]), []);
}

#[test]
fn a_large_sound_history_breaks_nothing() {
    let lines: Vec<String> = (0..10_000)
        .flat_map(|key| [format!("start {key} 1 w2.1"), format!("end {key} 1 w2.1")])
        .collect();
    let history = History {
        tried: (0..10_000).collect(),
        stored: (0..10_000).collect(),
        effects: Effects::parse(&lines),
        ..History::default()
    };
    assert_eq!(judge(&history), []);
    let mut lost = history.clone();
    lost.stored.insert(10_000);
    lost.tried.insert(10_000);
    assert_eq!(judge(&lost), [Violation::Lost(10_000)]);
}

#[test]
fn lost() {
    let mut planted = history(&sound());
    planted.stored.insert(6);
    assert_eq!(judge(&planted), [Violation::Lost(6)]);
    // Begun is not done.
    let mut planted = history(&[sound(), vec!["start 6 1 w2.1"]].concat());
    planted.stored.insert(6);
    assert_eq!(judge(&planted), [Violation::Lost(6)]);
    let mut planted = history(&sound());
    planted.live.clear();
    assert_eq!(judge(&planted), [Violation::Lost(4)]);
}

#[test]
fn phantom() {
    assert_eq!(
        with(&["start 99 1 w2.1", "end 99 1 w2.1"]),
        [Violation::Phantom(99)]
    );
    let mut planted = history(&sound());
    planted.dead.insert(98, 1);
    assert_eq!(judge(&planted), [Violation::Phantom(98)]);
    let mut planted = history(&sound());
    planted.live.insert(97);
    assert_eq!(judge(&planted), [Violation::Phantom(97)]);
}

#[test]
fn twofold() {
    let mut planted = history(&sound());
    planted.dead.insert(4, 1);
    assert_eq!(judge(&planted), [Violation::Twofold(4)]);
    let mut planted = history(&sound());
    planted.dead.insert(5, 2);
    assert_eq!(judge(&planted), [Violation::Twofold(5)]);
}

#[test]
fn repeated_attempt() {
    let lines = ["start 6 1 w1.1", "start 6 1 w2.1", "end 6 1 w2.1"];
    assert_eq!(with(&lines), [Violation::RepeatedAttempt(6, 1)]);
}

#[test]
fn falling_attempt() {
    let lines = ["start 6 2 w1.1", "start 6 1 w2.1", "end 6 1 w2.1"];
    assert_eq!(with(&lines), [Violation::FallingAttempt(6, 1)]);
}

#[test]
fn overlap() {
    let lines = ["start 6 1 w2.1", "start 6 2 w1.3", "end 6 2 w1.3"];
    assert_eq!(with(&lines), [Violation::Overlap(6, "w2.1".into())]);
}

#[test]
fn redelivered() {
    let lines = [
        "start 6 1 w2.1",
        "end 6 1 w2.1",
        "start 6 2 w1.3",
        "end 6 2 w1.3",
    ];
    assert_eq!(with(&lines), [Violation::Redelivered(6, "w2.1".into())]);
}

#[test]
fn overcharged() {
    let mut planted = history(&[sound(), vec!["start 6 4 w2.1", "end 6 4 w2.1"]].concat());
    planted.leased_max = 100;
    assert_eq!(judge(&planted), [Violation::Overcharged(6, 4)]);
}

#[test]
fn overcharged_in_all() {
    let lines = [
        "start 6 2 w2.1",
        "end 6 2 w2.1",
        "start 7 2 w2.1",
        "end 7 2 w2.1",
        "start 8 2 w2.1",
        "end 8 2 w2.1",
    ];
    assert_eq!(with(&lines), [Violation::OverchargedInAll(5)]);
}

#[test]
fn end_without_start() {
    assert_eq!(
        with(&["end 6 1 w2.1"]),
        [Violation::EndWithoutStart(6, "w2.1".into())]
    );
    let twice = ["start 6 1 w2.1", "end 6 1 w2.1", "end 6 1 w2.1"];
    assert_eq!(with(&twice), [Violation::EndWithoutStart(6, "w2.1".into())]);
}

#[test]
fn group_order() {
    let judge_group = |lines: &[&'static str]| {
        let mut planted = history(&[sound(), lines.to_vec()].concat());
        planted.groups = [(6, 1), (7, 1), (8, 2)].into();
        judge(&planted)
    };
    let in_turn = [
        "start 6 1 w2.1",
        "end 6 1 w2.1",
        "start 7 1 w1.3",
        "end 7 1 w1.3",
    ];
    assert_eq!(judge_group(&in_turn), []);
    let another_group_between = ["start 6 1 w2.1", "start 8 1 w2.1", "end 6 1 w2.1"];
    assert_eq!(judge_group(&another_group_between), []);
    let too_early = [
        "start 6 1 w2.1",
        "start 7 1 w1.3",
        "end 6 1 w2.1",
        "end 7 1 w1.3",
    ];
    assert_eq!(judge_group(&too_early), [Violation::GroupOrder(1, 7)]);
    // w1.1 was killed, so that job 6 comes again; but not behind job 7.
    let too_late = [
        "start 6 1 w1.1",
        "end 6 1 w1.1",
        "start 7 1 w2.1",
        "end 7 1 w2.1",
        "start 6 2 w2.1",
        "end 6 2 w2.1",
    ];
    assert_eq!(judge_group(&too_late), [Violation::GroupOrder(1, 6)]);
}

#[test]
fn a_start_inside_the_lease_before_it_is_found() {
    let start = |key, attempt, at, until| LeasedStart {
        key,
        attempt,
        at,
        until,
        life: format!("w1.{attempt}"),
    };
    let ended = Effects::parse(&["start 2 1 w1.1", "end 2 1 w1.1"]);
    let sound = [
        start(1, 1, 1_000, 1_900),
        start(1, 2, 1_900, 2_800),
        // The first delivery came to its end, and its ack was lost with the worker.
        start(2, 1, 1_000, 1_900),
        start(2, 2, 1_500, 2_400),
        start(3, 1, 1_000, 1_900),
    ];
    assert_eq!(inside_leases(&sound, &ended), []);
    let early = [start(3, 2, 1_600, 2_500), sound[4].clone()];
    let found = inside_leases(&early, &ended);
    assert_eq!(found, [Violation::InsideLease(3, 2, 300)]);
}
