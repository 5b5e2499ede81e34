//! Parts against plain messages: what it costs to append them, and their whole life.

use std::num::NonZeroU32;
use std::time::Duration;

use longshore::core::{IdOrigin, NewPart, Timestamp};
use longshore::{Aggregate, AggregateKey, AggregateRules, Connection, Release, Worker};

use crate::bench::meter::Moment;
use crate::bench::pump;
use crate::bench::ratio::{Better, Pairs};
use crate::bench::report::{Comparison, Goal, Report};
use crate::bench::session::{Bench, rate};
use crate::bench::tally::Tally;
use crate::error::Result;

/// The part of the rate of plain enqueues that appends should reach.
const GOAL_APPEND: Goal = Goal::AtLeast(0.6);
/// The part of the rate from enqueue to ack that parts should reach, up to the stored message.
const GOAL_LIFE: Goal = Goal::AtLeast(0.3);
/// How many parts each epoch has.
const SIZE: u32 = 10;
/// Where released messages go.
const OUT: &str = "bench-out";
/// How many are removed in one call.
const PURGED: NonZeroU32 = NonZeroU32::new(1000).expect("1000 is not zero");
/// How often it is looked whether all is released.
const LOOK_EACH: Duration = Duration::from_millis(5);

/// Measures parts beside plain messages of the same store.
pub(crate) async fn aggregate(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (messages, rounds) = (bench.args.messages(), bench.args.rounds());
    bench.steps.plan(u64::from(rounds) * 2);
    let scratch = bench.place.fresh(None)?;
    let connection = bench.open_warm(&scratch).await?;
    connection.backend().aggregates()?;
    let (mut appends, mut lives) = (Pairs::new(Better::Higher), Pairs::new(Better::Higher));
    for round in 1..=rounds {
        let (parts, plain) = if round % 2 == 1 {
            let plain = plain(bench, report, &connection, round).await?;
            (parts(bench, &connection, round).await?, plain)
        } else {
            let parts = parts(bench, &connection, round).await?;
            (parts, plain(bench, report, &connection, round).await?)
        };
        appends.push(rate(messages, parts.0), rate(messages, plain.0));
        lives.push(rate(messages, parts.1), rate(messages, plain.1));
    }
    for (name, against, pairs, goal) in [
        ("appends", "plain enqueues", &appends, GOAL_APPEND),
        (
            "part to released message",
            "enqueue to ack",
            &lives,
            GOAL_LIFE,
        ),
    ] {
        let line = Comparison::of(name, against, "messages/s", pairs);
        report.ratios.push(line.goal(goal));
    }
    Ok(())
}

/// How long plain messages take to be stored, and to their ack.
async fn plain(
    bench: &Bench<'_>,
    report: &mut Report,
    connection: &Connection,
    round: u32,
) -> Result<(Duration, Duration)> {
    bench.steps.next(format!("round {round}: plain messages"));
    let messages = bench.args.messages();
    let (load, batch) = (bench.load(), bench.args.enqueue_batch.get());
    let store = connection.backend().queues.as_ref();
    let begun = Moment::now();
    pump::fill(store, &load, 0..messages, batch, None).await?;
    let stored = Moment::now().since(begun);
    let mut tally = Tally::new(messages);
    pump::drain(store, &load, bench.args.batch.get(), &mut tally).await?;
    let done = Moment::now().since(begun);
    report.check.add(&bench.check(connection, &tally).await?);
    Ok((stored, done))
}

/// How long parts take to be stored, and until a worker, started then, has released all of them:
/// as plain messages are all stored before the first is received.
async fn parts(
    bench: &Bench<'_>,
    connection: &Connection,
    round: u32,
) -> Result<(Duration, Duration)> {
    bench.steps.next(format!("round {round}: parts"));
    let mut rules = AggregateRules::default();
    rules.size = Some(SIZE);
    // Whatever is left over at the end completes, too.
    rules.idle_ms = Some(500);
    let aggregate = Aggregate::open(connection, format!("bench-{round}"), rules)
        .map_err(|error| pump::wrong(&error.to_string()))?;
    let begun = Moment::now();
    append(bench, &aggregate).await?;
    let stored = Moment::now().since(begun);
    let release = Release::to(&aggregate, OUT)?;
    let worker = Worker::builder(connection.clone()).release(release);
    let worker = worker
        .build()
        .map_err(|error| pump::wrong(&error.to_string()))?;
    let handle = worker.handle();
    let working = tokio::spawn(worker.run_until(std::future::pending()));
    let released = until_released(bench, &aggregate).await;
    let done = Moment::now().since(begun);
    handle.stop();
    working
        .await
        .map_err(|_| pump::wrong("the worker panicked"))?
        .map_err(|error| pump::wrong(&error.to_string()))?;
    let out = OUT.parse()?;
    while connection.backend().admin.purge(&out, PURGED).await?.more {}
    released.map(|()| (stored, done))
}

/// Appends parts call after call, each when the one before is stored.
async fn append(bench: &Bench<'_>, aggregate: &Aggregate) -> Result<()> {
    let messages = bench.args.messages();
    let (load, batch) = (bench.load(), u64::from(bench.args.enqueue_batch.get()));
    let keys = (messages / u64::from(SIZE)).max(1);
    let mut from = 0;
    while from < messages {
        let to = messages.min(from + batch);
        let made = load.messages(from..to, None)?.into_iter().zip(from..to);
        let made = made.map(|(mut message, number)| {
            message.id_origin = IdOrigin::Given;
            Ok(NewPart {
                key: AggregateKey::new(format!("key-{}", number % keys))?,
                closing: false,
                position: Timestamp::from_millis(i64::try_from(number).unwrap_or(0)),
                message,
            })
        });
        let made = made.collect::<Result<Vec<_>>>()?;
        aggregate.append(&made).await?;
        from = to;
    }
    Ok(())
}

async fn until_released(bench: &Bench<'_>, aggregate: &Aggregate) -> Result<()> {
    let messages = bench.args.messages();
    loop {
        let info = aggregate.info().await?;
        if info.is_some_and(|info| info.released >= messages) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EACH).await;
    }
}
