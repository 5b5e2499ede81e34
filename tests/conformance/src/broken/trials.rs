//! Checks that flaws are noticed, as named tests.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use super::subject::{Breaks, BrokenHarness};
use super::{AggregateFlaw, Flaw};
use crate::properties::{a_history_fails, an_aggregate_history_fails};
use crate::{Harness, cases};

/// Runs, for each flaw, the cases that must notice it on the stores of `good` behind that flaw:
/// a test passes if its case fails. Each test first sees its case pass on the good store.
///
/// The random histories must notice every flaw of what they play.
pub fn main(good: &Arc<dyn Harness>) -> ExitCode {
    let arguments = Arguments::from_args();
    // These panics are wanted; what the tests say of them is enough.
    std::panic::set_hook(Box::new(|_| {}));
    let mut trials = Vec::new();
    for flaw in Flaw::ALL {
        for name in flaw.noticed_by() {
            let good = good.clone();
            trials.push(Trial::test(format!("{flaw:?}::{name}"), move || {
                is_noticed(&good, Breaks::Queues(*flaw), name)
            }));
        }
        if flaw.is_played() {
            let good = good.clone();
            trials.push(Trial::test(format!("{flaw:?}::properties"), move || {
                is_found(&good, Breaks::Queues(*flaw), a_history_fails)
            }));
        }
    }
    for flaw in AggregateFlaw::ALL {
        for name in flaw.noticed_by() {
            let good = good.clone();
            trials.push(Trial::test(format!("{flaw:?}::{name}"), move || {
                is_noticed(&good, Breaks::Aggregates(*flaw), name)
            }));
        }
        let good = good.clone();
        trials.push(Trial::test(format!("{flaw:?}::properties"), move || {
            is_found(&good, Breaks::Aggregates(*flaw), an_aggregate_history_fails)
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn is_noticed(good: &Arc<dyn Harness>, flaw: Breaks, name: &str) -> Result<(), Failed> {
    let case = cases().find(|case| case.name == name);
    let case = case.ok_or_else(|| Failed::from(format!("there is no case {name}")))?;
    case.try_on(&**good)
        .map_err(|why| format!("the good store fails too: {why}"))?;
    match case.try_on(&broken(good, flaw)) {
        Ok(()) => Err(format!("{name} does not notice {flaw:?}").into()),
        Err(_) => Ok(()),
    }
}

fn is_found(
    good: &Arc<dyn Harness>,
    flaw: Breaks,
    history: fn(&dyn Harness) -> Result<(), String>,
) -> Result<(), Failed> {
    match history(&broken(good, flaw)) {
        Ok(()) => Err(format!("no history finds {flaw:?}").into()),
        Err(_) => Ok(()),
    }
}

fn broken(good: &Arc<dyn Harness>, flaw: Breaks) -> BrokenHarness {
    BrokenHarness {
        good: good.clone(),
        flaw,
    }
}
