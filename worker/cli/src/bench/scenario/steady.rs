//! Many messages through one queue: what one costs in the last rounds and in the first.

use crate::bench::hand::Crew;
use crate::bench::ratio::{Better, Pairs, median};
use crate::bench::report::{Comparison, Goal, Report};
use crate::bench::session::{Bench, rate};
use crate::error::Result;

use super::lifecycle::ours;

/// How much slower the last rounds may be.
const GOAL_RATE: Goal = Goal::AtLeast(0.8);
/// How much longer the slowest batches may take in them.
const GOAL_SLOW: Goal = Goal::AtMost(1.2);
/// The first and the last rounds are so large a part of all.
const PART: usize = 5;

/// Measures whether the cost of a message grows with what went through its queue before.
pub(crate) async fn steady(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (messages, rounds) = (bench.args.messages(), bench.args.rounds());
    bench.steps.plan(u64::from(rounds));
    let scratch = bench.place.fresh(None)?;
    let connection = bench.open_warm(&scratch).await?;
    let workers = bench.args.workers();
    let mut crew = Crew::hire(&bench.place, &scratch, workers).await?;
    let (mut rates, mut slow, mut counted) = (Vec::new(), Vec::new(), None);
    for round in 1..=rounds {
        let took = ours(bench, round, &mut crew).await?;
        rates.push(rate(messages, took.enqueue + took.receive_settle));
        slow.push(took.slow.as_secs_f64() * 1e3);
        counted = took.counted;
        let check = bench.check(&connection, &took.tally).await?;
        report.check.add(&check);
    }
    let lines = [
        ("whole life", "messages/s", Better::Higher, rates, GOAL_RATE),
        (
            "receive+settle of a batch, p99",
            "ms",
            Better::Lower,
            slow,
            GOAL_SLOW,
        ),
    ];
    for (name, unit, better, all, goal) in lines {
        let part = all.len().div_ceil(PART);
        let first = median(all[..part].iter().copied());
        let last = median(all[all.len() - part..].iter().copied());
        let mut ends = Pairs::new(better);
        ends.push(last, first);
        let line = Comparison::of(name, "the first fifth of the rounds", unit, &ends);
        report.ratios.push(line.goal(goal));
        let mut each = Pairs::new(better);
        for round in all {
            each.push(round, first);
        }
        let line = Comparison::of("each round", "the first fifth of them", unit, &each);
        report.ratios.push(line);
    }
    if let Some((counted, took)) = counted {
        report.figures.extend(counted.of_messages(messages, took));
    }
    Ok(())
}
