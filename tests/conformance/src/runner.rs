//! Runs the cases as named tests of a test binary.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::properties::random_histories_agree;
use crate::{Harness, Missing, cases};

/// Runs each case once for each store, as `store::topic::case`. A store that is missing is a
/// failed test that says why, never a silent pass.
pub fn main(harnesses: Vec<Result<Arc<dyn Harness>, Missing>>) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for harness in harnesses {
        match harness {
            Ok(harness) => {
                trials.extend(trials_of(&harness));
                trials.push(property_of(harness));
            }
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
            Trial::test(name, move || Ok(case.try_on(&*harness)?))
        })
        .collect()
}

/// Random histories against the model: the one test that finds what nobody thought of.
fn property_of(harness: Arc<dyn Harness>) -> Trial {
    let name = format!("{}::properties::random_histories_agree", harness.name());
    Trial::test(name, move || Ok(random_histories_agree(&*harness)?))
}
