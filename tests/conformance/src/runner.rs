//! Runs the cases as named tests of a test binary.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::properties::random_histories_agree;
use crate::{Harness, Missing, cases};

/// Runs each case once for each store, as `store::topic::case`. A store that is missing is a
/// failed test that says why, never a silent pass.
pub fn main(harnesses: Vec<Result<Arc<dyn Harness>, Missing>>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials(harnesses)).exit_code()
}

fn trials(harnesses: Vec<Result<Arc<dyn Harness>, Missing>>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for harness in harnesses {
        match harness {
            Ok(harness) => {
                trials.extend(trials_of(&harness));
                trials.push(property_of(harness));
            }
            Err(missing) => trials.push(Trial::test(
                format!("{}::the_store_is_there", missing.name),
                move || is_there(&missing),
            )),
        }
    }
    trials
}

fn trials_of(harness: &Arc<dyn Harness>) -> Vec<Trial> {
    cases()
        .map(|case| {
            let harness = harness.clone();
            let name = format!("{}::{}", harness.name(), case.name);
            Trial::test(name, move || Ok(case.try_on(&*harness)?))
        })
        .collect()
}

/// Random histories against the model: the one test that finds what nobody thought of.
fn property_of(harness: Arc<dyn Harness>) -> Trial {
    let name = format!("{}::properties::random_histories_agree", harness.name());
    Trial::test(name, move || Ok(random_histories_agree(&*harness)?))
}

/// The test of a store that is not there.
fn is_there(missing: &Missing) -> Result<(), Failed> {
    Err(Failed::from(missing.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_store_is_a_failed_test_and_no_silence() {
        let missing = Missing {
            name: "redis",
            why: "there is no server".to_owned(),
        };
        let failed = is_there(&missing).unwrap_err();
        assert!(
            failed
                .message()
                .is_some_and(|why| why.contains("no server"))
        );
        let trials = trials(vec![Err(missing)]);
        let names: Vec<_> = trials.iter().map(Trial::name).collect();
        assert_eq!(names, ["redis::the_store_is_there"]);
    }
}
