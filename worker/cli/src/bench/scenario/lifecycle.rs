//! Bulk enqueue, and receive+settle by competing workers, each beside the raw floor.

use std::time::Duration;

use crate::bench::hand::{Crew, Order, Said};
use crate::bench::meter::{Span, processor_time};
use crate::bench::ratio::{Better, Pairs};
use crate::bench::report::{Comparison, Goal, Report};
use crate::bench::session::{Bench, rate};
use crate::bench::tally::Tally;
use crate::error::Result;

use super::end_to_end::end_to_end;

/// The part of the raw floor that longshore should reach.
const GOAL: Goal = Goal::AtLeast(0.8);
/// The same where a server is asked over a connection, for batches of 16 and more.
const GOAL_SERVER: Goal = Goal::AtLeast(0.55);
/// The same for smaller batches.
const GOAL_SERVER_SMALL: Goal = Goal::AtLeast(0.25);

fn goal(bench: &Bench<'_>) -> Goal {
    match (bench.place.has_server(), bench.args.batch.get()) {
        (false, _) => GOAL,
        (true, 16..) => GOAL_SERVER,
        (true, _) => GOAL_SERVER_SMALL,
    }
}

/// Measures the whole life of messages.
pub(crate) async fn lifecycle(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (messages, rounds) = (bench.args.messages(), bench.args.rounds());
    bench.steps.plan(u64::from(rounds) * 2 + 2);
    let (mut enqueue, mut receive) = (Pairs::new(Better::Higher), Pairs::new(Better::Higher));
    let mut processor = Pairs::new(Better::Lower);
    let scratch = bench.place.fresh(None)?;
    let connection = bench.open_warm(&scratch).await?;
    let workers = bench.args.workers.get();
    let mut crew = Crew::hire(&bench.place, &scratch, workers).await?;
    for round in 1..=rounds {
        // In turns, so that whoever comes second has no advantage in the end.
        let (raw, ours) = if round % 2 == 1 {
            let raw = raw(bench, round).await?;
            (raw, ours(bench, round, &mut crew).await?)
        } else {
            let ours = ours(bench, round, &mut crew).await?;
            (raw(bench, round).await?, ours)
        };
        enqueue.push(rate(messages, ours.enqueue), rate(messages, raw.enqueue));
        receive.push(
            rate(messages, ours.receive_settle),
            rate(messages, raw.receive_settle),
        );
        let micros = |span: Duration| span.as_secs_f64() * 1e6 / messages as f64;
        processor.push(micros(ours.processor), micros(raw.processor));
        report
            .check
            .add(&bench.check(&connection, &ours.tally).await?);
    }
    let lines = [
        ("bulk enqueue", "raw batched inserts", &enqueue),
        ("receive+settle", "raw claim+delete", &receive),
    ];
    for (name, against, pairs) in lines {
        let line = Comparison::of(name, against, "messages/s", pairs);
        report
            .ratios
            .push(line.goal(bench.goal_on_disk(goal(bench))));
    }
    if bench.place.is_shared() {
        // What a busy disk and busy neighbours cannot distort.
        let whole = "whole life, processor time";
        let line = Comparison::of(whole, "raw processor time", "µs/message", &processor);
        report.ratios.push(line);
    }
    end_to_end(bench, report).await
}

/// What one round took.
struct Took {
    enqueue: Duration,
    receive_settle: Duration,
    /// Of both together, by all workers.
    processor: Duration,
    tally: Tally,
}

async fn raw(bench: &Bench<'_>, round: u32) -> Result<Took> {
    bench.steps.next(format!("round {round}: raw floor"));
    let (batches, workers) = (bench.args.batches(), bench.args.workers.get());
    // The floor works in this process. What making and removing its data takes is taken off.
    let start = processor_time();
    bench.raw(1, batches, workers).await?;
    let around = processor_time().saturating_sub(start);
    let start = processor_time();
    let report = bench.raw(bench.args.messages(), batches, workers).await?;
    let all = processor_time().saturating_sub(start);
    Ok(Took {
        enqueue: report.enqueue,
        receive_settle: report.receive_settle,
        // A small round may cost less than two such measurements differ.
        processor: all.saturating_sub(around).max(Duration::from_micros(1)),
        tally: Tally::new(0),
    })
}

async fn ours(bench: &Bench<'_>, round: u32, crew: &mut Crew) -> Result<Took> {
    bench.steps.next(format!("round {round}: longshore"));
    let messages = bench.args.messages();
    let (enqueue_batch, batch) = bench.args.batches();
    let load = bench.load();
    let workers = u64::from(bench.args.workers.get());
    let before = crew.processor_time().await?;
    let shares = (0..workers).map(|worker| Order::Fill {
        load,
        from: messages * worker / workers,
        to: messages * (worker + 1) / workers,
        batch: enqueue_batch,
    });
    let mut spans = Vec::new();
    for said in crew.ask_each(shares).await? {
        match said {
            Said::Filled { span } => spans.push(span),
            other => return Err(other.unexpected()),
        }
    }
    let enqueue = Span::cover(spans.drain(..)).unwrap_or_default();
    let drain = Order::Drain {
        load,
        messages,
        batch,
    };
    let mut tally = Tally::new(messages);
    for said in crew.ask_each((0..workers).map(|_| drain.clone())).await? {
        match said {
            Said::Drained { span, tally: seen } => {
                spans.push(span);
                tally.merge(&seen);
            }
            other => return Err(other.unexpected()),
        }
    }
    let after = crew.processor_time().await?;
    Ok(Took {
        enqueue,
        processor: after.saturating_sub(before),
        receive_settle: Span::cover(spans).unwrap_or_default(),
        tally,
    })
}
