//! Latencies from the enqueue of one process to the delivery and the ack in another.

use std::sync::Arc;
use std::time::Duration;

use longshore::core::QueueStore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::bench::hand::{Crew, Order, Said};
use crate::bench::latency::Latencies;
use crate::bench::load::Load;
use crate::bench::meter::Moment;
use crate::bench::pump;
use crate::bench::report::Report;
use crate::bench::session::Bench;
use crate::bench::tally::Tally;
use crate::error::Result;

/// At most this many messages go around in the closed loop.
const CLOSED_MAX: u64 = 300;
/// The open loop lasts at most this long.
const OPEN_SECONDS: u64 = 5;

/// Measures both loops. Closed: the next message is enqueued when the one before is acked. Open:
/// messages are enqueued by the clock, and each latency counts from when its turn was, so that
/// one slow answer is charged to all that had to wait behind it.
pub(super) async fn end_to_end(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    bench.steps.next("end to end, closed loop");
    let closed = bench.args.messages().min(CLOSED_MAX);
    run(bench, report, closed, None).await?;
    bench.steps.next("end to end, open loop");
    let rate = bench.args.rate.get();
    let open = bench.args.messages().min(u64::from(rate) * OPEN_SECONDS);
    run(bench, report, open, Some(rate)).await
}

async fn run(
    bench: &Bench<'_>,
    report: &mut Report,
    messages: u64,
    rate: Option<u32>,
) -> Result<()> {
    let scratch = bench.place.fresh(None)?;
    let connection = bench.open_warm(&scratch).await?;
    let load = bench.load();
    let mut crew = Crew::hire(&bench.place, &scratch, bench.args.workers()).await?;
    let batch = bench.args.batch.get();
    crew.order_each(&Order::Serve { load, batch }).await?;
    let mut seen = Seen::new(messages)?;
    match rate {
        None => {
            closed(
                &connection.backend().queues,
                load,
                messages,
                &mut crew,
                &mut seen,
            )
            .await?;
        }
        Some(rate) => {
            let period = Duration::from_secs(1) / rate;
            open(
                &connection.backend().queues,
                load,
                messages,
                period,
                &mut crew,
                &mut seen,
            )
            .await?;
        }
    }
    for said in crew.stop().await? {
        seen.late(&said);
    }
    let name = rate.map_or("closed loop".to_owned(), |rate| {
        format!("open loop, {rate}/s")
    });
    let latencies = [
        seen.delivered
            .summary(format!("{name}: enqueue to delivery")),
        seen.settled.summary(format!("{name}: enqueue to ack")),
    ];
    report.latencies.extend(latencies);
    report
        .check
        .add(&bench.check(&connection, &seen.tally).await?);
    Ok(())
}

/// What the workers told.
struct Seen {
    tally: Tally,
    delivered: Latencies,
    settled: Latencies,
}

impl Seen {
    fn new(messages: u64) -> Result<Self> {
        Ok(Self {
            tally: Tally::new(messages),
            delivered: Latencies::new()?,
            settled: Latencies::new()?,
        })
    }

    /// Counts a message that was to be enqueued at `due(number)`.
    fn count(&mut self, said: &Said, due: impl Fn(u64) -> Moment) -> Result<()> {
        let Said::Taken {
            number,
            at,
            settled,
        } = said
        else {
            return Err(said.unexpected());
        };
        self.tally.mark(*number);
        if let Some(due) = number.map(due) {
            self.delivered.record(at.since(due));
            if let Some(settled) = settled {
                self.settled.record(settled.since(due));
            }
        }
        Ok(())
    }

    /// Counts what came out when all that was expected had come: a double.
    fn late(&mut self, said: &Said) {
        if let Said::Taken { number, .. } = said {
            self.tally.mark(*number);
        }
    }
}

async fn closed(
    store: &Arc<dyn QueueStore>,
    load: Load,
    messages: u64,
    crew: &mut Crew,
    seen: &mut Seen,
) -> Result<()> {
    for number in 0..messages {
        let sent = Moment::now();
        pump::fill(store.as_ref(), &load, number..number + 1, 1, None).await?;
        let said = crew.next_within(pump::PATIENCE).await?;
        seen.count(&said, |_| sent)?;
    }
    Ok(())
}

async fn open(
    store: &Arc<dyn QueueStore>,
    load: Load,
    messages: u64,
    period: Duration,
    crew: &mut Crew,
    seen: &mut Seen,
) -> Result<()> {
    let (start, start_moment) = (Instant::now(), Moment::now());
    let turn = |number: u64| period.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
    let (mut sent, mut taken) = (0, 0);
    // A task each: a slow enqueue must not delay the turn of the next.
    let mut enqueues = JoinSet::new();
    while taken < messages {
        tokio::select! {
            () = tokio::time::sleep_until(start + turn(sent)), if sent < messages => {
                let (store, number) = (store.clone(), sent);
                enqueues.spawn(async move {
                    pump::fill(store.as_ref(), &load, number..number + 1, 1, None).await
                });
                sent += 1;
            }
            said = crew.next_within(pump::PATIENCE) => {
                seen.count(&said?, |number| start_moment.plus(turn(number)))?;
                taken += 1;
            }
            Some(stored) = enqueues.join_next() => {
                stored.map_err(|_| pump::wrong("an enqueue of the open loop panicked"))??;
            }
        }
    }
    Ok(())
}
