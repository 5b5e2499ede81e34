//! Runs the property as one test of a store.

use std::sync::Arc;

use longshore_core::ManualClock;
use proptest::test_runner::Config;

use super::operation::Step;
use super::pair::Pair;
use super::runs::{kept, run_histories, unkept};
use super::strategy::history;
use crate::Harness;

/// Beside the test's own crate: failing histories are kept here and tried first the next time.
const FAILURES: &str = "proptest-regressions/histories.txt";

/// Plays as many histories as `PROPTEST_CASES` says, or else the harness.
pub(crate) fn random_histories_agree(harness: &dyn Harness) -> Result<(), String> {
    run(harness, kept(harness, FAILURES))
}

/// Plays histories until one fails: for broken stores.
pub(crate) fn a_history_fails(harness: &dyn Harness) -> Result<(), String> {
    run(harness, unkept(256))
}

fn run(harness: &dyn Harness, config: Config) -> Result<(), String> {
    let told = |steps: &Vec<Step>| told(steps);
    run_histories(config, &history(), told, &async |steps: &Vec<Step>| {
        play(harness, steps).await;
    })
}

async fn play(harness: &dyn Harness, steps: &[Step]) {
    let clock = Arc::new(ManualClock::default());
    let subject = harness.open(clock.clone()).await;
    let real = [subject.backend(), subject.reopen().await];
    let model = harness.model(clock.clone());
    let mut pair = Pair::new(model, real, clock);
    for step in steps {
        pair.play(step).await;
    }
}

fn told(steps: &[Step]) -> String {
    let line = |(index, step): (usize, &Step)| {
        let second = if step.second_handle {
            " (2nd handle)"
        } else {
            ""
        };
        format!("{index:3}. {:?}{second}", step.operation)
    };
    let lines: Vec<_> = steps.iter().enumerate().map(line).collect();
    lines.join("\n")
}
