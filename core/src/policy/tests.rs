use std::time::Duration;

use proptest::prelude::*;

use super::{Clause, ClauseAction, Decision, DelayTable, ErrorPolicy, Jitter, PolicyChange};
use crate::{DeadReason, Failure, Label};

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn clause(pattern: &str, at_route: bool, redeliveries: Option<u32>) -> Clause {
    Clause {
        pattern: Label::new(pattern).unwrap(),
        at_route,
        change: PolicyChange {
            redeliveries,
            ..PolicyChange::default()
        },
        action: None,
    }
}

fn failed(label: &str) -> Failure {
    Failure::retryable("x").with_label(Label::new(label).unwrap())
}

#[test]
fn the_default_is_seven_attempts_a_second_apart() {
    let policy = ErrorPolicy::default();
    for attempt in 1..=6 {
        assert_eq!(
            policy.decide(&failed("x"), attempt, 0, 0.5),
            Decision::Retry(secs(1))
        );
    }
    let end = policy.decide(&failed("x"), 7, 0, 0.5);
    assert_eq!(end, Decision::DeadLetter(DeadReason::Exhausted));
    assert_eq!((policy.attempts_max(), policy.span()), (7, secs(6)));
}

#[test]
fn one_attempt_means_no_retry() {
    let policy = ErrorPolicy {
        redeliveries: 0,
        ..ErrorPolicy::default()
    };
    let end = policy.decide(&failed("x"), 1, 0, 0.5);
    assert_eq!(end, Decision::DeadLetter(DeadReason::Exhausted));
}

#[test]
fn the_longest_label_wins_then_the_route_and_unset_keys_are_inherited() {
    let mut policy = ErrorPolicy {
        delay: secs(3),
        ..ErrorPolicy::default()
    };
    policy.clauses = vec![
        clause("http", true, Some(1)),
        clause("http.503", false, Some(20)),
        clause("http.503", true, Some(30)),
    ];
    assert_eq!(
        policy.winner(&Label::new("http.503").unwrap()),
        policy.clauses.get(2)
    );
    assert_eq!(
        policy.winner(&Label::new("http.500").unwrap()),
        policy.clauses.first()
    );
    assert_eq!(
        policy.decide(&failed("http.503"), 30, 0, 0.5),
        Decision::Retry(secs(3))
    );
    let end = policy.decide(&failed("http.503"), 31, 0, 0.5);
    assert_eq!(end, Decision::DeadLetter(DeadReason::Exhausted));
    assert_eq!(policy.attempts_max(), 31);
}

#[test]
fn permanent_failures_die_at_once_unless_a_clause_gives_redeliveries() {
    let permanent = || Failure::permanent("x").with_label(Label::new("http.404").unwrap());
    let mut policy = ErrorPolicy::default();
    let dead = Decision::DeadLetter(DeadReason::Permanent);
    assert_eq!(policy.decide(&permanent(), 1, 0, 0.5), dead);
    policy.clauses = vec![clause("http", true, None)];
    assert_eq!(policy.decide(&permanent(), 1, 0, 0.5), dead);
    policy.clauses = vec![clause("http", true, Some(2))];
    assert_eq!(
        policy.decide(&permanent(), 1, 0, 0.5),
        Decision::Retry(secs(1))
    );
}

#[test]
fn what_is_away_is_released_uncharged_unless_a_clause_charges_it() {
    let away = || Failure::away(&Label::new("forward.unavailable").unwrap(), "x");
    let mut policy = ErrorPolicy::default();
    for (streak, delay) in [(0, 1), (1, 2), (5, 32), (6, 60), (60, 60)] {
        let decision = policy.decide(&away(), 99, streak, 0.5);
        assert_eq!(decision, Decision::Release(secs(delay)), "{streak}");
    }
    policy.clauses = vec![clause("forward", false, Some(2))];
    assert_eq!(policy.decide(&away(), 1, 0, 0.5), Decision::Retry(secs(1)));
}

#[test]
fn actions_come_before_everything() {
    let mut policy = ErrorPolicy::default();
    let mut handled = clause("exec", true, None);
    handled.action = Some(ClauseAction::Handled);
    let mut dead = clause("exec.exit.65", true, None);
    dead.action = Some(ClauseAction::DeadLetter);
    policy.clauses = vec![handled, dead];
    let first = policy.decide(&failed("exec.exit.1"), 1, 0, 0.5);
    assert_eq!(first, Decision::Action(ClauseAction::Handled));
    let second = policy.decide(&failed("exec.exit.65"), 1, 0, 0.5);
    assert_eq!(second, Decision::DeadLetter(DeadReason::Permanent));
}

#[test]
fn a_hint_makes_the_delay_longer_never_shorter() {
    let policy = ErrorPolicy::default();
    let failure = failed("http.429").retry_after(secs(30));
    assert_eq!(
        policy.decide(&failure, 1, 0, 0.5),
        Decision::Retry(secs(30))
    );
    let failure = failed("http.429").retry_after(secs(999_999));
    assert_eq!(
        policy.decide(&failure, 1, 0, 0.5),
        Decision::Retry(secs(3600))
    );
}

#[test]
fn deliveries_are_refused_beyond_every_limit_or_after_too_many_vanished() {
    let mut policy = ErrorPolicy {
        redeliveries: 2,
        ..ErrorPolicy::default()
    };
    policy.clauses = vec![clause("http", true, Some(9))];
    assert_eq!(policy.refuses(10, 2), None);
    assert_eq!(policy.refuses(11, 0), Some(DeadReason::Exhausted));
    assert_eq!(policy.refuses(4, 3), Some(DeadReason::Vanished));
}

#[test]
fn tables_hold_from_a_retry_on() {
    let table = DelayTable::new([(2, secs(5)), (5, secs(60))]).unwrap();
    let policy = ErrorPolicy {
        delays: Some(table),
        ..ErrorPolicy::default()
    };
    let delays: Vec<_> = (1..=6).map(|n| policy.base(n).as_secs()).collect();
    assert_eq!(delays, [1, 5, 5, 5, 60, 60]);
    assert!(DelayTable::new([]).is_err());
    assert!(DelayTable::new([(0, secs(1))]).is_err());
    assert!(DelayTable::new([(5, secs(1)), (1, secs(1))]).is_err());
}

proptest! {
    #[test]
    fn delays_stay_within_cap_and_jitter(
        n in 1_u32..2_000_000_000,
        random in 0.0..=1.0,
        multiplier in 0.0..100.0,
    ) {
        let mut policy = ErrorPolicy { multiplier, ..ErrorPolicy::default() };
        let base = policy.base(n);
        prop_assert!(base <= policy.delay_max);
        let delay = policy.delay_for(n, random);
        prop_assert!(delay >= base.mul_f64(0.849) && delay <= base.mul_f64(1.151));
        policy.jitter = Jitter::Full;
        prop_assert!(policy.delay_for(n, random) <= base);
    }
}
