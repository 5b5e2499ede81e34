//! Runs the cases as named tests of a test binary.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::properties::{random_aggregates_agree, random_histories_agree};
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
                let excluded = harness.excluded();
                let mut of_store = trials_of(&harness);
                let only = harness.only();
                of_store.push(property_of(
                    &harness,
                    "random_histories_agree",
                    random_histories_agree,
                ));
                of_store.push(property_of(
                    &harness,
                    "random_aggregates_agree",
                    random_aggregates_agree,
                ));
                if let Some(only) = only {
                    of_store = just(of_store, only);
                }
                trials.extend(without(of_store, excluded));
            }
            Err(missing) => trials.push(Trial::test(
                format!("{}::the_store_is_there", missing.name),
                move || is_there(&missing),
            )),
        }
    }
    trials
}

/// The trials of some names; a name that is none of theirs is a failed trial.
fn just(trials: Vec<Trial>, only: &'static [(&str, &str)]) -> Vec<Trial> {
    let mut left = trials;
    let mut picked = Vec::new();
    for (name, _) in only {
        let found = left.iter().position(|trial| {
            let case = trial.name().split_once("::");
            case.is_some_and(|(_, case)| case == *name)
        });
        picked.push(match found {
            Some(at) => left.swap_remove(at),
            None => unknown(name),
        });
    }
    picked
}

fn unknown(name: &'static str) -> Trial {
    let stale = move || Err(Failed::from(format!("no case is called {name}")));
    Trial::test(format!("excluded::{name}"), stale)
}

/// The trials, those excluded marked as ignored; a name that is none of theirs is a failed trial.
fn without(trials: Vec<Trial>, excluded: &'static [(&str, &str)]) -> Vec<Trial> {
    let case = |trial: &Trial| {
        trial
            .name()
            .split_once("::")
            .map(|(_, case)| case.to_owned())
    };
    let unknown = excluded.iter().filter_map(|(name, _)| {
        let is_known = trials
            .iter()
            .any(|trial| case(trial).as_deref() == Some(*name));
        (!is_known).then(|| unknown(name))
    });
    let unknown: Vec<Trial> = unknown.collect();
    let marked = trials.into_iter().map(|trial| {
        let name = case(&trial);
        let found = excluded
            .iter()
            .find(|(known, _)| name.as_deref() == Some(*known));
        match found {
            Some((_, limit)) => trial.with_kind(*limit).with_ignored_flag(true),
            None => trial,
        }
    });
    marked.chain(unknown).collect()
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
fn property_of(
    harness: &Arc<dyn Harness>,
    name: &str,
    property: fn(&dyn Harness) -> Result<(), String>,
) -> Trial {
    let name = format!("{}::properties::{name}", harness.name());
    let harness = harness.clone();
    Trial::test(name, move || Ok(property(&*harness)?))
}

/// The test of a store that is not there.
fn is_there(missing: &Missing) -> Result<(), Failed> {
    Err(Failed::from(missing.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excluded_case_is_shown_and_a_name_of_none_fails() {
        let trials = || {
            vec![
                Trial::test("s::a::b", || Ok(())),
                Trial::test("s::c::d", || Ok(())),
            ]
        };
        let marked = without(trials(), &[("a::b", "order")]);
        let ignored: Vec<_> = marked.iter().map(Trial::has_ignored_flag).collect();
        assert_eq!(ignored, [true, false]);
        assert_eq!(marked[0].kind(), "order");
        let stale = without(trials(), &[("a::x", "order")]);
        assert_eq!(stale.len(), 3);
        assert_eq!(stale[2].name(), "excluded::a::x");
    }

    #[test]
    fn only_what_is_asked_for_is_played_and_a_name_of_none_fails() {
        let trials = vec![
            Trial::test("s::a::b", || Ok(())),
            Trial::test("s::c::d", || Ok(())),
        ];
        let picked = just(trials, &[("c::d", "order"), ("a::x", "order")]);
        let names: Vec<_> = picked.iter().map(Trial::name).collect();
        assert_eq!(names, ["s::c::d", "excluded::a::x"]);
    }

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
