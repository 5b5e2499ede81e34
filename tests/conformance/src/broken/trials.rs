//! Checks that flaws are noticed, as named tests.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use super::Flaw;
use super::subject::BrokenHarness;
use crate::{Case, Harness, cases};

/// Runs, for each flaw, the cases that must notice it on the stores of `good` behind that flaw:
/// a test passes if its case fails. Each test first sees its case pass on the good store.
pub fn main(good: &Arc<dyn Harness>) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for flaw in Flaw::ALL {
        for name in flaw.noticed_by() {
            let good = good.clone();
            trials.push(Trial::test(format!("{flaw:?}::{name}"), move || {
                is_noticed(&good, *flaw, name)
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn is_noticed(good: &Arc<dyn Harness>, flaw: Flaw, name: &str) -> Result<(), Failed> {
    let case = find(name).ok_or_else(|| Failed::from(format!("there is no case {name}")))?;
    case.try_on(&**good)
        .map_err(|why| format!("the good store fails too: {why}"))?;
    let broken = BrokenHarness {
        good: good.clone(),
        flaw,
    };
    match case.try_on(&broken) {
        Ok(()) => Err(format!("{name} does not notice {flaw:?}").into()),
        Err(_) => Ok(()),
    }
}

fn find(name: &str) -> Option<&'static Case> {
    cases().find(|case| case.name == name)
}
