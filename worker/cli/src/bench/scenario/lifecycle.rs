//! Bulk enqueue, and receive+settle by competing workers, each beside the raw floor.

use std::time::Duration;

use crate::bench::args::Scenario;
use crate::bench::counted::Counted;
use crate::bench::hand::{Crew, Order, Said};
use crate::bench::meter::{Moment, Span, processor_time};
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
/// The same where every message has a group.
const GOAL_SERVER_GROUPED: Goal = Goal::AtLeast(0.15);
/// The part of raw pipelined inserts that a server's bulk enqueue should reach.
const GOAL_SERVER_BULK: Goal = Goal::AtLeast(0.6);
/// The part of raw batched inserts that bulk enqueue into a cluster should reach.
const GOAL_CLUSTER_BULK: Goal = Goal::AtLeast(0.5);
/// The part of raw slices and settled rows that receive+settle should reach there.
const GOAL_CLUSTER_DRAIN: Goal = Goal::AtLeast(0.4);
/// From this many messages on a call counts as bulk.
const BULK: u32 = 100;

/// The goal of a whole life where a server is asked.
fn goal_of_life(bench: &Bench<'_>) -> Goal {
    let args = bench.args;
    match (args.scenario, args.batch.get()) {
        (Scenario::Grouped, _) => GOAL_SERVER_GROUPED,
        (_, 16..) => GOAL_SERVER,
        _ => GOAL_SERVER_SMALL,
    }
}

/// The goals of enqueue, of receive+settle, and of the whole life.
fn goals(bench: &Bench<'_>) -> [Option<Goal>; 3] {
    if !bench.place.has_server() {
        let goal = bench.goal_on_disk(GOAL);
        return [goal, goal, None];
    }
    let is_bulk = bench.args.enqueue_batch.get() >= BULK;
    let plain = bench.args.scenario == Scenario::Lifecycle;
    if bench.place.is_cluster() {
        let goals = [GOAL_CLUSTER_BULK, GOAL_CLUSTER_DRAIN].map(|goal| plain.then_some(goal));
        return [goals[0].filter(|_| is_bulk), goals[1], None];
    }
    let bulk = (is_bulk && plain).then_some(GOAL_SERVER_BULK);
    [bulk, None, Some(goal_of_life(bench))]
}

/// Measures the whole life of messages.
pub(crate) async fn lifecycle(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (messages, rounds) = (bench.args.messages(), bench.args.rounds());
    bench.steps.plan(u64::from(rounds) * 2 + 2);
    let mut rates: [Pairs; 3] = std::array::from_fn(|_| Pairs::new(Better::Higher));
    let mut unclaimed = None;
    let mut costs: [Pairs; 2] = std::array::from_fn(|_| Pairs::new(Better::Lower));
    let scratch = bench.place.fresh(None)?;
    let connection = bench.open_warm(&scratch).await?;
    let workers = bench.args.workers();
    let mut crew = Crew::hire(&bench.place, &scratch, workers).await?;
    let mut counted = None;
    for round in 1..=rounds {
        // In turns, so that the second one has no advantage in the end.
        let (raw, ours) = if round % 2 == 1 {
            let raw = raw(bench, round).await?;
            (raw, ours(bench, round, &mut crew).await?)
        } else {
            let ours = ours(bench, round, &mut crew).await?;
            (raw(bench, round).await?, ours)
        };
        counted = ours.counted;
        for ((pairs, ours), raw) in rates.iter_mut().zip(ours.spans()).zip(raw.spans()) {
            pairs.push(rate(messages, ours), rate(messages, raw));
        }
        if let Some(raw) = bench.raw_unclaimed().await? {
            let whole = ours.enqueue + ours.receive_settle;
            let raw = raw.enqueue + raw.receive_settle;
            let pairs = unclaimed.get_or_insert_with(|| Pairs::new(Better::Higher));
            pairs.push(rate(messages, whole), rate(messages, raw));
        }
        let micros = |span: Duration| span.as_secs_f64() * 1e6 / messages as f64;
        costs[0].push(micros(ours.processor), micros(raw.processor));
        costs[1].push(micros(ours.server), micros(raw.server));
        report
            .check
            .add(&bench.check(&connection, &ours.tally).await?);
    }
    tell(bench, report, &rates, &costs);
    if let Some(pairs) = unclaimed {
        let against = "raw, nothing claimed";
        let line = Comparison::of("whole life", against, "messages/s", &pairs);
        report.ratios.push(line);
    }
    if let Some((counted, took)) = counted {
        report.figures.extend(counted.of_messages(messages, took));
    }
    end_to_end(bench, report).await
}

fn tell(bench: &Bench<'_>, report: &mut Report, rates: &[Pairs; 3], costs: &[Pairs; 2]) {
    let lines = [
        ("bulk enqueue", "raw batched inserts"),
        ("receive+settle", "raw claim+delete"),
        ("whole life", "raw whole life"),
    ];
    for (((name, against), pairs), goal) in lines.into_iter().zip(rates).zip(goals(bench)) {
        let line = Comparison::of(name, against, "messages/s", pairs);
        report.ratios.push(line.goal(goal));
    }
    // What a busy disk and busy neighbours cannot distort.
    if bench.place.is_shared() {
        let whole = "whole life, processor time";
        let line = Comparison::of(whole, "raw processor time", "µs/message", &costs[0]);
        report.ratios.push(line);
    }
    if bench.server().is_some() {
        let whole = "whole life, processor time of the server";
        let line = Comparison::of(whole, "raw on the server", "µs/message", &costs[1]);
        report.ratios.push(line);
    }
}

/// What one round took.
pub(super) struct Took {
    pub(super) enqueue: Duration,
    pub(super) receive_settle: Duration,
    /// 99 of 100 batches were received and settled within this.
    pub(super) slow: Duration,
    /// Of both together, by all workers.
    processor: Duration,
    /// Of both together, by the server.
    server: Duration,
    /// What the servers counted, and how long they did.
    pub(super) counted: Option<(Counted, Duration)>,
    pub(super) tally: Tally,
}

impl Took {
    fn spans(&self) -> [Duration; 3] {
        let whole = self.enqueue + self.receive_settle;
        [self.enqueue, self.receive_settle, whole]
    }
}

async fn raw(bench: &Bench<'_>, round: u32) -> Result<Took> {
    bench.steps.next(format!("round {round}: raw floor"));
    let (batches, workers) = (bench.args.batches(), bench.args.workers());
    // The floor works in this process. What making and removing its data takes is taken off.
    let start = processor_time();
    bench.raw(1, batches, workers).await?;
    let around = processor_time().saturating_sub(start);
    let server = bench.server_time().await?;
    let start = processor_time();
    let report = bench.raw(bench.args.messages(), batches, workers).await?;
    let all = processor_time().saturating_sub(start);
    let server = bench.server_time().await?.saturating_sub(server);
    Ok(Took {
        enqueue: report.enqueue,
        receive_settle: report.receive_settle,
        slow: Duration::ZERO,
        // A small round may cost less than two such measurements differ.
        processor: all.saturating_sub(around).max(Duration::from_micros(1)),
        server: server.max(Duration::from_micros(1)),
        counted: None,
        tally: Tally::new(0),
    })
}

pub(super) async fn ours(bench: &Bench<'_>, round: u32, crew: &mut Crew) -> Result<Took> {
    bench.steps.next(format!("round {round}: longshore"));
    let messages = bench.args.messages();
    let (enqueue_batch, batch) = bench.args.batches();
    let load = bench.load();
    let workers = u64::from(bench.args.workers());
    let server = bench.server_time().await?;
    let counts = bench.counts().await?;
    let start = Moment::now();
    let before = crew.processor_time().await?;
    let shares = (0..workers).map(|worker| Order::Fill {
        load,
        from: messages * worker / workers,
        to: messages * (worker + 1) / workers,
        batch: enqueue_batch,
        under_way: bench.under_way(),
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
    let (mut tally, mut slow) = (Tally::new(messages), Duration::ZERO);
    for said in crew.ask_each((0..workers).map(|_| drain.clone())).await? {
        match said {
            Said::Drained {
                span,
                tally: seen,
                slow_us,
            } => {
                spans.push(span);
                tally.merge(&seen);
                slow = slow.max(Duration::from_micros(slow_us));
            }
            other => return Err(other.unexpected()),
        }
    }
    let after = crew.processor_time().await?;
    let counted = Counted::between(counts, bench.counts().await?);
    let took = Moment::now().since(start);
    let server = bench.server_time().await?.saturating_sub(server);
    Ok(Took {
        enqueue,
        processor: after.saturating_sub(before),
        receive_settle: Span::cover(spans).unwrap_or_default(),
        slow,
        server,
        counted: counted.map(|counted| (counted, took)),
        tally,
    })
}
