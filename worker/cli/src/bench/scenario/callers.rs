//! Single enqueues: many concurrent callers against one.

use std::sync::Arc;
use std::time::Duration;

use longshore::Connection;
use longshore::core::QueueStore;
use tokio::task::JoinSet;

use crate::bench::load::Load;
use crate::bench::meter::Moment;
use crate::bench::pump;
use crate::bench::ratio::{Better, Pairs};
use crate::bench::report::{Comparison, Goal, Report};
use crate::bench::session::{Bench, rate};
use crate::bench::tally::Tally;
use crate::error::Result;

/// How many times the rate of one caller 64 callers should reach.
const GOAL: Goal = Goal::AtLeast(8.0);
/// One caller stores this part of the messages: it would take too long with all of them.
const ONE_CALLERS_PART: u64 = 16;

/// Measures what concurrent callers gain by sharing a transaction.
pub(crate) async fn callers(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (messages, rounds) = (bench.args.messages(), bench.args.rounds());
    let callers = u64::from(bench.args.callers.get());
    let few = (messages / ONE_CALLERS_PART).max(1);
    bench.steps.plan(u64::from(rounds) * 3);
    let (mut together, mut alone) = (Pairs::new(Better::Higher), Pairs::new(Better::Higher));
    let scratch = bench.place.fresh(None)?;
    let connection = bench.open_warm(&scratch).await?;
    for round in 1..=rounds {
        let mut turns = [(1, few), (callers, messages)];
        if round % 2 == 0 {
            turns.reverse();
        }
        let mut rates = Vec::new();
        for (callers, messages) in turns {
            bench
                .steps
                .next(format!("round {round}: {callers} callers"));
            rates.push(once(bench, report, &connection, callers, messages).await?);
        }
        if round % 2 == 0 {
            rates.reverse();
        }
        bench.steps.next(format!("round {round}: raw floor"));
        let raw = bench.raw(few, (1, 1), 1).await?;
        if let [one, many] = rates[..] {
            together.push(many, one);
            alone.push(one, rate(few, raw.enqueue));
        }
    }
    let of_many = Comparison::of(
        "single enqueues, many callers",
        "one caller",
        "messages/s",
        &together,
    );
    let goal = bench.goal_on_disk(GOAL).filter(|_| callers >= 64);
    report.ratios.push(of_many.goal(goal));
    report.ratios.push(Comparison::of(
        "single enqueues, one caller",
        "raw single inserts",
        "messages/s",
        &alone,
    ));
    Ok(())
}

/// The rate of `callers` that share `messages`, each enqueueing its own one by one.
async fn once(
    bench: &Bench<'_>,
    report: &mut Report,
    connection: &Connection,
    callers: u64,
    messages: u64,
) -> Result<f64> {
    let load = bench.load();
    let took = enqueue(&connection.backend().queues, load, callers, messages).await?;
    let mut tally = Tally::new(messages);
    pump::drain(
        connection.backend().queues.as_ref(),
        &load,
        pump::BULK,
        &mut tally,
    )
    .await?;
    report.check.add(&bench.check(connection, &tally).await?);
    Ok(rate(messages, took))
}

async fn enqueue(
    store: &Arc<dyn QueueStore>,
    load: Load,
    callers: u64,
    messages: u64,
) -> Result<Duration> {
    let mut tasks = JoinSet::new();
    let start = Moment::now();
    for caller in 0..callers {
        let store = store.clone();
        let share = messages * caller / callers..messages * (caller + 1) / callers;
        tasks.spawn(async move { pump::fill(store.as_ref(), &load, share, 1, None).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(|_| pump::wrong("a caller panicked"))??;
    }
    Ok(Moment::now().since(start))
}
