//! Subjects of commits: `area: verb object`, short enough for one line everywhere.

use std::process::Command;

use longshore_architecture_tests::root;

/// Commits before this day were written to other rules.
const SINCE: &str = "2026-11-30T00:00:00";

const SUBJECT_MAX: usize = 72;

/// The subjects of the commits that are here; nothing where there is no history to look at.
fn subjects() -> Vec<String> {
    let log = Command::new("git")
        .current_dir(root())
        .args(["log", "--no-merges", "--format=%s", "--since", SINCE])
        .output();
    match log {
        Ok(log) if log.status.success() => {
            let text = String::from_utf8_lossy(&log.stdout).into_owned();
            text.lines().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn is_well_formed(subject: &str) -> bool {
    let Some((areas, words)) = subject.split_once(": ") else {
        return false;
    };
    let is_area = |area: &str| {
        !area.is_empty()
            && area
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '-' || c == '/')
    };
    areas.split(", ").all(is_area)
        && words.chars().next().is_some_and(char::is_lowercase)
        && !words.ends_with('.')
        && subject.chars().count() <= SUBJECT_MAX
}

#[test]
fn subjects_name_an_area_and_are_short() {
    let wrong: Vec<_> = subjects()
        .into_iter()
        .filter(|subject| !is_well_formed(subject))
        .collect();
    assert!(
        wrong.is_empty(),
        "write `area: verb object` in at most {SUBJECT_MAX} characters, the why in the body: {wrong:#?}"
    );
}

#[test]
fn the_rule_tells_good_subjects_from_bad_ones() {
    for good in [
        "redis: share pieces of scripts",
        "tests, cli: group cases by topic",
    ] {
        assert!(is_well_formed(good), "{good}");
    }
    let long = format!("core: {}", "x".repeat(SUBJECT_MAX));
    for bad in [
        "Fix it",
        "core: Fix it",
        "core: fix it.",
        "core fix it",
        long.as_str(),
    ] {
        assert!(!is_well_formed(bad), "{bad}");
    }
}
