//! Memory and rate of a whole worker process that drains a queue.

use std::time::Duration;

use crate::bench::hand::{Crew, Order, Said};
use crate::bench::meter::Span;
use crate::bench::pump;
use crate::bench::ratio::{Better, Pairs, median};
use crate::bench::report::{Comparison, Figure, Goal, Report};
use crate::bench::scratch::open;
use crate::bench::session::{Bench, rate};
use crate::error::Result;

/// The most memory a worker process should have resident, in MiB.
const GOAL: Goal = Goal::AtMost(40.0);
/// The raw floor need not move as many messages to show its rate.
const RAW_MAX: u64 = 50_000;

/// Measures one worker process that decodes, handles and acks every message of a queue.
pub(crate) async fn memory(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (messages, rounds) = (bench.args.messages(), bench.args.rounds());
    let raw_messages = messages.min(RAW_MAX);
    bench.steps.plan(u64::from(rounds) * 3);
    let (mut pairs, mut peaks) = (Pairs::new(Better::Higher), Vec::new());
    for round in 1..=rounds {
        bench.steps.next(format!("round {round}: raw floor"));
        let raw = bench.raw(raw_messages, bench.args.batches(), 1).await?;
        let ours = once(bench, report, round).await?;
        pairs.push(
            rate(messages, ours.took),
            rate(raw_messages, raw.receive_settle),
        );
        peaks.extend(ours.peak_bytes);
    }
    report.ratios.push(Comparison::of(
        "whole worker, one process",
        "raw claim+delete, one connection",
        "messages/s",
        &pairs,
    ));
    if bench.place.is_shared() && !peaks.is_empty() {
        report.figures.push(Figure {
            name: "peak resident memory of the worker process",
            value: median(peaks.iter().map(|bytes| *bytes as f64 / f64::from(1 << 20))),
            unit: "MiB",
            goal: Some(GOAL),
        });
    }
    Ok(())
}

/// What one round took.
struct Took {
    took: Duration,
    peak_bytes: Option<u64>,
}

async fn once(bench: &Bench<'_>, report: &mut Report, round: u32) -> Result<Took> {
    let (messages, load) = (bench.args.messages(), bench.load());
    let scratch = bench.place.fresh(None)?;
    bench.steps.next(format!("round {round}: storing messages"));
    // Filling needs no durability; what is measured has that of the URL.
    let filler = open(&scratch.url_with("sync=normal")).await?;
    pump::fill(
        filler.backend().queues.as_ref(),
        &load,
        0..messages,
        pump::BULK,
        None,
    )
    .await?;
    bench.steps.next(format!("round {round}: worker"));
    let mut crew = Crew::hire(&bench.place, &scratch, 1).await?;
    let work = Order::Work {
        load,
        messages,
        concurrency: bench.args.batch.get(),
    };
    let mut answers = crew.ask_each([work]).await?;
    let Some(Said::Drained { span, tally, .. }) = answers.pop() else {
        return Err(pump::wrong("the worker did not say how it went"));
    };
    let usage = crew.ask_each([Order::Usage]).await?.pop();
    let peak_bytes = match usage {
        Some(Said::Usage { peak_bytes, .. }) => peak_bytes,
        _ => None,
    };
    report.check.add(&bench.check(&filler, &tally).await?);
    Ok(Took {
        took: Span::cover([span]).unwrap_or_default(),
        peak_bytes,
    })
}
