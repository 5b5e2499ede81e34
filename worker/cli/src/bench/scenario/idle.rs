//! What many idle workers cost the server.

use std::time::Duration;

use crate::bench::hand::{Crew, Order};
use crate::bench::meter::Moment;
use crate::bench::report::{Figure, Goal, Report};
use crate::bench::session::Bench;
use crate::error::Result;

/// What all of them may cost the server, in percent of a core.
const GOAL: Goal = Goal::AtMost(2.0);
/// What workers do to get ready is not what they do while idle.
const SETTLING: Duration = Duration::from_secs(3);

/// Watches a server while worker processes wait for messages that do not come.
pub(crate) async fn idle(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let workers = bench.args.workers();
    bench.steps.plan(2);
    let scratch = bench.place.fresh(None)?;
    let connection = bench.open_warm(&scratch).await?;
    bench.steps.next(format!("starting {workers} workers"));
    let mut crew = Crew::hire(&bench.place, &scratch, workers).await?;
    let load = bench.load();
    crew.order_each(&Order::Attend { load }).await?;
    tokio::time::sleep(SETTLING).await;
    bench.steps.next("watching the server");
    let (before, start) = (bench.server_time().await?, Moment::now());
    tokio::time::sleep(bench.args.idle()).await;
    let (after, span) = (bench.server_time().await?, Moment::now().since(start));
    let used = after.saturating_sub(before);
    report.figures.push(Figure {
        name: "the server with idle worker processes",
        value: 100.0 * used.as_secs_f64() / span.as_secs_f64(),
        unit: "% of a core",
        goal: Some(GOAL),
    });
    crew.stop().await?;
    drop(connection);
    Ok(())
}
