//! The report as tables for people.

use super::report::{Goal, Report, Settings};
use crate::output::Table;

/// The report as text.
pub(crate) fn show(report: &Report) -> String {
    let mut parts = vec![settings(&report.settings)];
    if !report.ratios.is_empty() {
        parts.push(ratios(report));
    }
    if !report.latencies.is_empty() {
        parts.push(latencies(report));
    }
    if !report.figures.is_empty() {
        parts.push(figures(report));
    }
    parts.push(check(report));
    parts.join("\n")
}

fn settings(shown: &Settings) -> String {
    let Settings {
        store,
        query,
        file_system,
        messages,
        body_bytes,
        batch,
        enqueue_batch,
        workers,
        rounds,
        cores,
        load,
        version,
        build,
    } = shown;
    let query = if query.is_empty() {
        "defaults"
    } else {
        query.as_str()
    };
    let on = match file_system {
        Some(name) => format!(" on {name}"),
        None => String::new(),
    };
    let busy = match load {
        Some(load) if shown.is_busy() => format!(
            "The machine is busy with other things (load {load}): times are distorted, \
             processor time is not.\n"
        ),
        _ => String::new(),
    };
    format!(
        "{store} ({query}){on}, {messages} messages of {body_bytes} bytes, enqueued by {enqueue_batch}, \
         received by {batch}, {workers} workers, {rounds} rounds, {cores} cores, longshore {version} ({build} build)\n{busy}"
    )
}

fn ratios(report: &Report) -> String {
    let heads = [
        "measured",
        "#value",
        "compared with",
        "#value",
        "unit",
        "#ratio",
        "lowest..highest",
        "#of best",
        "goal",
    ];
    let mut table = Table::new(&heads);
    for line in &report.ratios {
        let ratio = &line.ratio;
        table.row([
            line.name.to_owned(),
            number(line.value),
            line.against.to_owned(),
            number(line.against_value),
            line.unit.to_owned(),
            format!("{:.2}", ratio.median),
            format!("{:.2}..{:.2}", ratio.lowest, ratio.highest),
            format!("{:.2}", ratio.of_best),
            goal(line.goal, ratio.median, ""),
        ]);
    }
    table.render()
}

fn latencies(report: &Report) -> String {
    let heads = [
        "latency", "#count", "#p50 ms", "#p95 ms", "#p99 ms", "#max ms", "goal",
    ];
    let mut table = Table::new(&heads);
    for line in &report.latencies {
        table.row([
            line.name.clone(),
            line.count.to_string(),
            format!("{:.2}", line.p50_ms),
            format!("{:.2}", line.p95_ms),
            format!("{:.2}", line.p99_ms),
            format!("{:.2}", line.max_ms),
            goal(line.goal_p95_ms.map(Goal::AtMost), line.p95_ms, "p95 "),
        ]);
    }
    table.render()
}

fn figures(report: &Report) -> String {
    let mut table = Table::new(&["figure", "#value", "unit", "goal"]);
    for line in &report.figures {
        table.row([
            line.name.to_owned(),
            number(line.value),
            line.unit.to_owned(),
            goal(line.goal, line.value, ""),
        ]);
    }
    table.render()
}

fn check(report: &Report) -> String {
    let check = &report.check;
    if check.holds() {
        return format!("All {} messages came out exactly once.\n", check.expected);
    }
    format!(
        "WRONG: of {} messages {} are missing, {} came out again, {} are unknown and {} are still \
         in the store.\n",
        check.expected, check.missing, check.doubled, check.foreign, check.left
    )
}

fn goal(goal: Option<Goal>, value: f64, what: &str) -> String {
    let Some(goal) = goal else {
        return String::new();
    };
    let word = if goal.is_met(value) { "met" } else { "MISSED" };
    match goal {
        Goal::AtLeast(least) => format!("{what}>= {least} {word}"),
        Goal::AtMost(most) => format!("{what}<= {most} {word}"),
    }
}

/// Three digits that matter, or all of a great number.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_say_whether_they_are_met() {
        assert_eq!(goal(Some(Goal::AtLeast(0.8)), 0.85, ""), ">= 0.8 met");
        assert_eq!(goal(Some(Goal::AtLeast(0.8)), 0.75, ""), ">= 0.8 MISSED");
        assert_eq!(goal(Some(Goal::AtMost(50.0)), 3.0, "p95 "), "p95 <= 50 met");
        assert_eq!(goal(Some(Goal::AtMost(50.0)), f64::NAN, ""), "<= 50 MISSED");
        assert_eq!(goal(None, 1.0, ""), "");
    }

    #[test]
    fn numbers_keep_the_digits_that_matter() {
        assert_eq!(number(12345.6), "12346");
        assert_eq!(number(8.126), "8.13");
        assert_eq!(number(0.0123), "0.012");
    }
}
