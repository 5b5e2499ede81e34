//! Runs histories as one test of a store.

use std::env;
use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence, TestError, TestRunner};
use tokio::runtime::Runtime;

use crate::Harness;

/// As many histories as `PROPTEST_CASES` says, or else the harness; a failing one is kept in this file
/// beside the test's own crate, shrunk and shown.
pub(super) fn kept(harness: &dyn Harness, file: &'static str) -> Config {
    let wanted = env::var("PROPTEST_CASES").ok();
    let wanted = wanted.and_then(|cases| cases.parse().ok());
    Config {
        cases: wanted.unwrap_or_else(|| harness.property_cases()),
        max_shrink_iters: 2000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(file))),
        ..Config::default()
    }
}

/// So many histories, of which one that fails is neither shrunk nor kept.
pub(super) fn unkept(cases: u32) -> Config {
    Config {
        cases,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..Config::default()
    }
}

/// Plays histories, and says what is wrong with the first that fails.
pub(super) fn run_histories<S: Debug>(
    config: Config,
    history: &impl Strategy<Value = S>,
    told: impl Fn(&S) -> String,
    play: &impl AsyncFn(&S),
) -> Result<(), String> {
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    let ended = TestRunner::new(config).run(history, |steps| {
        runtime.block_on(play(&steps));
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
