//! The cost of a message does not depend on how many wait.

use std::time::Duration;

use longshore::Connection;
use longshore::core::GroupName;

use crate::bench::load::Load;
use crate::bench::meter::{Moment, processor_time};
use crate::bench::pump;
use crate::bench::ratio::{Better, Pairs};
use crate::bench::report::{Comparison, Goal, Report};
use crate::bench::scratch::{Scratch, open};
use crate::bench::session::Bench;
use crate::bench::tally::{Check, Tally};
use crate::error::Result;

/// How much dearer a message may be where many wait.
const GOAL: Goal = Goal::AtMost(1.15);
/// How many wait where few wait.
const FEW: u64 = 10_000;
/// How many members of one busy group are in front.
const MEMBERS: u64 = 100_000;

/// Measures the cost of a message with few waiting, with many, and behind a busy group.
pub(crate) async fn flat(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let many = bench.args.waiting.get();
    let (few, members) = (FEW.min(many), MEMBERS.min(many));
    let rounds = bench.args.rounds();
    bench.steps.plan(3 + u64::from(rounds) * 3);
    bench.steps.next(format!("storing {few} messages"));
    let mut shallow = Stock::new(bench, few, 0).await?;
    bench.steps.next(format!("storing {many} messages"));
    let mut deep = Stock::new(bench, many, 0).await?;
    bench
        .steps
        .next(format!("storing {members} members of a group"));
    let mut behind = Stock::new(bench, few, members).await?;
    let mut beside = None;
    if bench.place.has_server() {
        let others = bench.args.beside.get();
        bench
            .steps
            .next(format!("storing {others} delayed and {others} dead"));
        beside = Some(Stock::beside(bench, few, others).await?);
    }
    let mut pairs: [Pairs; 6] = std::array::from_fn(|_| Pairs::new(Better::Lower));
    // The first cycles fill caches that the others find full.
    for stock in [&mut shallow, &mut deep, &mut behind]
        .into_iter()
        .chain(&mut beside)
    {
        stock.turn_over(bench, bench.args.messages() / 4).await?;
    }
    for round in 1..=rounds {
        let messages = bench.args.messages();
        bench.steps.next(format!("round {round}: {few} waiting"));
        let base = shallow.turn_over(bench, messages).await?;
        bench.steps.next(format!("round {round}: {many} waiting"));
        let depth = deep.turn_over(bench, messages).await?;
        bench
            .steps
            .next(format!("round {round}: behind {members} members"));
        let group = behind.turn_over(bench, messages).await?;
        pairs[0].push(depth.clock, base.clock);
        pairs[1].push(depth.processor, base.processor);
        pairs[2].push(group.clock, base.clock);
        pairs[3].push(group.processor, base.processor);
        if let Some(stock) = &mut beside {
            bench.steps.next(format!("round {round}: beside others"));
            let others = stock.turn_over(bench, messages).await?;
            pairs[4].push(others.clock, base.clock);
            pairs[5].push(others.processor, base.processor);
        }
    }
    let lines = [
        ("many waiting, time", "few waiting"),
        ("many waiting, processor time", "few waiting"),
        ("behind a busy group, time", "no group"),
        ("behind a busy group, processor time", "no group"),
        ("beside delayed and dead ones, time", "none of them"),
        (
            "beside delayed and dead ones, processor time",
            "none of them",
        ),
    ];
    let shown = if beside.is_some() { 6 } else { 4 };
    for ((name, against), pairs) in lines.into_iter().zip(&pairs).take(shown) {
        let line = Comparison::of(name, against, "µs/message", pairs);
        report.ratios.push(line.goal(GOAL));
    }
    for stock in [shallow, deep, behind].into_iter().chain(beside) {
        report.check.add(&stock.check().await?);
    }
    Ok(())
}

/// What one message costs, in microseconds.
struct Cost {
    clock: f64,
    processor: f64,
}

/// A store with messages that wait.
struct Stock {
    connection: Connection,
    load: Load,
    /// How many messages were enqueued so far, members of the group not counted.
    enqueued: u64,
    /// What stays beside them: members of the busy group, one of them leased for good, delayed
    /// messages and dead letters.
    others: u64,
    taken: Vec<Option<u64>>,
    /// Kept for its files.
    _scratch: Scratch,
}

impl Stock {
    /// A store in which `waiting` messages wait behind `members` members of a busy group.
    async fn new(bench: &Bench<'_>, waiting: u64, members: u64) -> Result<Self> {
        let scratch = bench.place.fresh(None)?;
        // Filling needs no durability; what is measured has that of the URL.
        let filler = open(&scratch.url_with("sync=normal")).await?;
        let load = bench.load();
        let store = filler.backend().queues.as_ref();
        if members > 0 {
            let group = GroupName::new("busy")?;
            pump::fill(store, &bench.load(), 0..members, pump::BULK, Some(&group)).await?;
            // One member is being worked on: the others wait for it.
            pump::receive(store, &pump::queue()?, 1, Duration::ZERO).await?;
        }
        pump::fill(store, &load, 0..waiting, pump::BULK, None).await?;
        Ok(Self {
            connection: scratch.open().await?,
            load,
            enqueued: waiting,
            others: members,
            taken: Vec::new(),
            _scratch: scratch,
        })
    }

    /// A store in which `waiting` messages wait beside as many delayed ones and dead letters as
    /// `others` says, of each.
    async fn beside(bench: &Bench<'_>, waiting: u64, others: u64) -> Result<Self> {
        let mut stock = Self::new(bench, 0, 0).await?;
        let store = stock.connection.backend().queues.as_ref();
        pump::bury(store, &bench.load(), others).await?;
        pump::delay(store, &bench.load(), others).await?;
        pump::fill(store, &stock.load, 0..waiting, pump::BULK, None).await?;
        stock.enqueued = waiting;
        stock.others = 2 * others;
        Ok(stock)
    }

    /// Enqueues, receives and acks messages batch by batch: the depth stays as it is.
    async fn turn_over(&mut self, bench: &Bench<'_>, messages: u64) -> Result<Cost> {
        let (store, batch) = (
            self.connection.backend().queues.as_ref(),
            bench.args.batch.get(),
        );
        let queue = pump::queue()?;
        let (start, processor) = (Moment::now(), processor_time());
        let mut done = 0;
        while done < messages {
            let from = self.enqueued;
            self.enqueued += u64::from(batch);
            pump::fill(store, &self.load, from..self.enqueued, batch, None).await?;
            let taken = pump::receive(store, &queue, batch, Duration::ZERO).await?;
            let ids = taken.iter().map(|delivery| delivery.message.id);
            self.taken.extend(ids.map(|id| self.load.number(id)));
            pump::ack(store, &queue, taken).await?;
            done += u64::from(batch);
        }
        let micros = |span: Duration| span.as_secs_f64() * 1e6 / done as f64;
        Ok(Cost {
            clock: micros(Moment::now().since(start)),
            processor: micros(processor_time().saturating_sub(processor)),
        })
    }

    /// Checks that what came out is what was enqueued first, and that the rest still waits.
    async fn check(&self) -> Result<Check> {
        let mut tally = Tally::new(self.taken.len() as u64);
        for number in &self.taken {
            tally.mark(*number);
        }
        let stats = self
            .connection
            .backend()
            .admin
            .stats(&pump::queue()?)
            .await?;
        let live = stats.map_or(0, |stats| stats.live() + stats.dead);
        let waiting = self.enqueued + self.others - self.taken.len() as u64;
        Ok(tally.check(live.abs_diff(waiting)))
    }
}
