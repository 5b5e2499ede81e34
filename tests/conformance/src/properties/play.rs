//! Runs the property as one test of a store.

use std::env;
use std::sync::Arc;

use longshore_core::ManualClock;
use proptest::test_runner::{Config, FileFailurePersistence, TestError, TestRunner};
use tokio::runtime::Runtime;

use super::operation::Step;
use super::pair::Pair;
use super::strategy::history;
use crate::Harness;

/// Beside the test's own crate: failing histories are kept here and tried first the next time.
const FAILURES: &str = "proptest-regressions/histories.txt";

/// Plays as many histories as `PROPTEST_CASES` says, or else the harness; a failing one is kept,
/// shrunk and shown.
pub(crate) fn random_histories_agree(harness: &dyn Harness) -> Result<(), String> {
    let wanted = env::var("PROPTEST_CASES").ok();
    let wanted = wanted.and_then(|cases| cases.parse().ok());
    run(
        harness,
        Config {
            cases: wanted.unwrap_or_else(|| harness.property_cases()),
            max_shrink_iters: 2000,
            failure_persistence: Some(Box::new(FileFailurePersistence::Direct(FAILURES))),
            ..Config::default()
        },
    )
}

/// Plays histories until one fails, which is neither shrunk nor kept: for broken stores.
pub(crate) fn a_history_fails(harness: &dyn Harness) -> Result<(), String> {
    let config = Config {
        cases: 256,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..Config::default()
    };
    run(harness, config)
}

fn run(harness: &dyn Harness, config: Config) -> Result<(), String> {
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    let ended = TestRunner::new(config).run(&history(), |steps| {
        runtime.block_on(play(harness, &steps));
        Ok(())
    });
    match ended {
        Ok(()) => Ok(()),
        Err(TestError::Fail(why, steps)) => {
            Err(format!("{why}\nafter the steps\n{}", told(&steps)))
        }
        Err(error) => Err(error.to_string()),
    }
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
