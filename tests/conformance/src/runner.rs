//! Runs the cases as named tests of a test binary.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use longshore_core::ManualClock;
use tokio::runtime::{Builder, Runtime};

use crate::{Case, Harness, Missing, Stage, cases};

/// A case that takes longer hangs.
const CASE_MAX: Duration = Duration::from_secs(60);

/// Runs each case once for each store, as `store::topic::case`. A store that is missing is a
/// failed test that says why, never a silent pass.
pub fn main(harnesses: Vec<Result<Arc<dyn Harness>, Missing>>) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for harness in harnesses {
        match harness {
            Ok(harness) => trials.extend(trials_of(&harness)),
            Err(missing) => trials.push(Trial::test(
                format!("{}::the_store_is_there", missing.name),
                move || Err(Failed::from(missing.to_string())),
            )),
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials_of(harness: &Arc<dyn Harness>) -> Vec<Trial> {
    cases()
        .map(|case| {
            let harness = harness.clone();
            let name = format!("{}::{}", harness.name(), case.name);
            Trial::test(name, move || run_case(&*harness, *case))
        })
        .collect()
}

/// Runs one case on a fresh store; a panic of the case fails it.
fn run_case(harness: &dyn Harness, case: Case) -> Result<(), Failed> {
    let ended = runtime()?.block_on(async {
        let clock = Arc::new(ManualClock::default());
        let subject = harness.open(clock.clone()).await;
        let stage = Stage::new(subject, clock);
        tokio::time::timeout(CASE_MAX, (case.run)(stage)).await
    });
    ended.map_err(|_| Failed::from(format!("it hangs: not done within {CASE_MAX:?}")))
}

pub(crate) fn runtime() -> Result<Runtime, Failed> {
    Ok(Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}
