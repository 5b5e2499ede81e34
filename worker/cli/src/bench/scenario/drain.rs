//! A whole worker that drains a queue, against the raw lifecycle.

use std::time::Duration;

use crate::bench::hand::{Crew, Order, Said};
use crate::bench::meter::Span;
use crate::bench::pump;
use crate::bench::ratio::{Better, Pairs};
use crate::bench::report::{Comparison, Goal, Report};
use crate::bench::session::{Bench, rate};
use crate::error::Result;

/// The part of the raw lifecycle that a worker behind a server should reach.
const GOAL: Goal = Goal::AtLeast(0.35);
/// Messages of a call of the raw lifecycle.
const RAW_BATCH: u32 = 64;

/// Measures one worker process with default settings that decodes, handles and acks every message
/// of a queue; the messages are there before it starts.
pub(crate) async fn drain(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (messages, rounds) = (bench.args.messages(), bench.args.rounds());
    bench.steps.plan(u64::from(rounds) * 3);
    let mut pairs = Pairs::new(Better::Higher);
    for round in 1..=rounds {
        let (raw, ours) = if round % 2 == 1 {
            let raw = raw(bench, round).await?;
            (raw, once(bench, report, round).await?)
        } else {
            let ours = once(bench, report, round).await?;
            (raw(bench, round).await?, ours)
        };
        pairs.push(rate(messages, ours), rate(messages, raw));
    }
    let line = Comparison::of(
        "whole worker, one process",
        "raw whole life by 64",
        "messages/s",
        &pairs,
    );
    let goal = bench.place.has_server().then_some(GOAL);
    report.ratios.push(line.goal(goal));
    Ok(())
}

async fn raw(bench: &Bench<'_>, round: u32) -> Result<Duration> {
    bench.steps.next(format!("round {round}: raw floor"));
    let batches = (RAW_BATCH, RAW_BATCH);
    let raw = bench
        .raw(bench.args.messages(), batches, bench.args.workers())
        .await?;
    Ok(raw.enqueue + raw.receive_settle)
}

async fn once(bench: &Bench<'_>, report: &mut Report, round: u32) -> Result<Duration> {
    let (messages, load) = (bench.args.messages(), bench.load());
    let scratch = bench.place.fresh(None)?;
    bench.steps.next(format!("round {round}: storing messages"));
    let connection = scratch.open().await?;
    let store = connection.backend().queues.as_ref();
    pump::fill(store, &load, 0..messages, pump::BULK, None).await?;
    bench.steps.next(format!("round {round}: worker"));
    let mut crew = Crew::hire(&bench.place, &scratch, 1).await?;
    let work = Order::Work {
        load,
        messages,
        concurrency: bench.args.concurrency.get(),
    };
    let mut answers = crew.ask_each([work]).await?;
    let Some(Said::Drained { span, tally, .. }) = answers.pop() else {
        return Err(pump::wrong("the worker did not say how it went"));
    };
    report.check.add(&bench.check(&connection, &tally).await?);
    Ok(Span::cover([span]).unwrap_or_default())
}
