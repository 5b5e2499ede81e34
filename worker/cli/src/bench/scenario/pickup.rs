//! How fast an idle worker takes a message, and what it costs while idle.

use std::time::Duration;

use crate::bench::counted::Counted;
use crate::bench::hand::{Crew, Order, Said};
use crate::bench::latency::Latencies;
use crate::bench::meter::Moment;
use crate::bench::pump;
use crate::bench::report::{Figure, Goal, Report};
use crate::bench::session::Bench;
use crate::bench::tally::Tally;
use crate::error::Result;

/// How fast an idle worker should take a message, in milliseconds, 95 times of 100.
const GOAL_P95_MS: f64 = 50.0;
/// The same where a server wakes it.
const GOAL_P95_SERVER_MS: f64 = 5.0;
/// The same where it looks for messages now and then.
const GOAL_P95_CLUSTER_MS: f64 = 250.0;
/// What an idle worker may cost, in percent of a core.
const GOAL_IDLE: Goal = Goal::AtMost(0.5);
/// Between two messages the worker becomes idle again: at least this long, at most twice as long.
/// The gap differs each time, so that no timer of the worker can fall in step with it.
const GAP: Duration = Duration::from_millis(20);
/// The same where a worker looks more often for some seconds after it had a message.
const GAP_CLUSTER: Duration = Duration::from_millis(2500);

/// Watches an idle worker, then hands it single messages.
pub(crate) async fn pickup(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (messages, load) = (bench.args.messages(), bench.load());
    bench.steps.plan(2);
    let scratch = bench.place.fresh(None)?;
    let connection = bench.open_warm(&scratch).await?;
    let mut crew = Crew::hire(&bench.place, &scratch, 1).await?;
    crew.order_each(&Order::Attend { load }).await?;
    if bench.place.is_shared() {
        bench.steps.next("watching an idle worker");
        let before = bench.counts().await?;
        let start = Moment::now();
        report.figures.push(idle(bench, &mut crew).await?);
        let counted = Counted::between(before, bench.counts().await?);
        let span = Moment::now().since(start);
        let counted = counted.map(|counted| counted.of_idling(span));
        report.figures.extend(counted.into_iter().flatten());
    }
    bench.steps.next("handing it single messages");
    let mut tally = Tally::new(messages);
    let (mut from_call, mut from_stored) = (Latencies::new()?, Latencies::new()?);
    for number in 0..messages {
        let gap = if bench.place.is_cluster() {
            GAP_CLUSTER
        } else {
            GAP
        };
        tokio::time::sleep(gap + gap.mul_f64(spread(number))).await;
        let called = Moment::now();
        pump::fill(
            connection.backend().queues.as_ref(),
            &load,
            number..number + 1,
            1,
            None,
        )
        .await?;
        let stored = Moment::now();
        let said = crew.next_within(pump::PATIENCE).await?;
        let Said::Taken { number, at, .. } = said else {
            return Err(said.unexpected());
        };
        tally.mark(number);
        from_call.record(at.since(called));
        from_stored.record(at.since(stored));
    }
    for said in crew.stop().await? {
        if let Said::Taken { number, .. } = said {
            tally.mark(number);
        }
    }
    report.latencies.extend([
        from_call
            .summary("call of enqueue to an idle worker")
            .goal(if bench.place.is_cluster() {
                GOAL_P95_CLUSTER_MS
            } else if bench.place.has_server() {
                GOAL_P95_SERVER_MS
            } else {
                GOAL_P95_MS
            }),
        from_stored.summary("answer of enqueue to an idle worker"),
    ]);
    report.check.add(&bench.check(&connection, &tally).await?);
    Ok(())
}

/// The processor time of an idle worker process, in percent of a core.
async fn idle(bench: &Bench<'_>, crew: &mut Crew) -> Result<Figure> {
    // What it does to get ready is not what it does while idle.
    tokio::time::sleep(Duration::from_secs(1).min(bench.args.idle())).await;
    let (used_before, before) = usage(crew).await?;
    tokio::time::sleep(bench.args.idle()).await;
    let (used, after) = usage(crew).await?;
    let used = Duration::from_nanos(used - used_before);
    Ok(Figure {
        name: "idle worker process",
        value: 100.0 * used.as_secs_f64() / after.since(before).as_secs_f64(),
        unit: "% of a core",
        goal: Some(GOAL_IDLE),
    })
}

async fn usage(crew: &mut Crew) -> Result<(u64, Moment)> {
    crew.order_each(&Order::Usage).await?;
    match crew.next_within(pump::PATIENCE).await? {
        Said::Usage {
            processor_ns, at, ..
        } => Ok((processor_ns, at)),
        other => Err(other.unexpected()),
    }
}

/// From 0 to 1, different for neighbours.
fn spread(number: u64) -> f64 {
    (number.wrapping_mul(0x9e37_79b9) % 1000) as f64 / 1000.0
}
