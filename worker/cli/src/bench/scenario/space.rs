//! What waiting messages take of a server's memory, and which keys stay behind.

use longshore::core::FloorServer;

use crate::bench::pump;
use crate::bench::ratio::{Better, Pairs};
use crate::bench::report::{Comparison, Figure, Goal, Report};
use crate::bench::scratch::open;
use crate::bench::session::Bench;
use crate::bench::tally::Tally;
use crate::error::Result;

/// How much more memory a waiting message may take than in the raw form.
const GOAL: Goal = Goal::AtMost(2.0);
/// How many keys more there may be after many messages than after a few.
const GOAL_KEYS: Goal = Goal::AtMost(0.0);
/// A few messages: after those every key is there that stays.
const FEW: u64 = 2_000;

/// Stores messages, asks the server for its memory, drains them, and counts the keys.
pub(crate) async fn space(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (messages, load) = (bench.args.messages(), bench.load());
    let scratch = bench.place.fresh(None)?;
    let url = scratch.url();
    let (connection, floor) = (open(&url).await?, Bench::floor_of(&url)?);
    let Some(server) = floor.server() else {
        return Ok(());
    };
    bench.steps.plan(3);
    bench.steps.next("a few messages");
    let store = connection.backend().queues.as_ref();
    pump::fill(store, &bench.load(), 0..FEW, pump::BULK, None).await?;
    pump::drain(store, &load, pump::BULK, &mut Tally::new(FEW)).await?;
    let (keys, before) = (server.keys().await?, server.usage().await?.memory_bytes);
    bench.steps.next("storing messages");
    pump::fill(store, &load, 0..messages, pump::BULK, None).await?;
    let taken = server.usage().await?.memory_bytes.saturating_sub(before);
    let mut tally = Tally::new(messages);
    pump::drain(store, &load, pump::BULK, &mut tally).await?;
    let more_keys = server.keys().await?.saturating_sub(keys);
    bench.steps.next("raw floor");
    compare(bench, report, server, taken).await?;
    report.figures.push(Figure {
        name: "keys of a queue that was used",
        value: keys as f64,
        unit: "keys",
        goal: None,
    });
    report.figures.push(Figure {
        name: "more keys after all messages",
        value: more_keys as f64,
        unit: "keys",
        goal: Some(GOAL_KEYS),
    });
    report.check.add(&bench.check(&connection, &tally).await?);
    Ok(())
}

async fn compare(
    bench: &Bench<'_>,
    report: &mut Report,
    server: &dyn FloorServer,
    taken: u64,
) -> Result<()> {
    let messages = bench.args.messages();
    let spec = bench.raw_spec(messages, (pump::BULK, pump::BULK), bench.args.workers());
    let raw = server.waiting_bytes(spec).await?;
    let each = |bytes: u64| bytes as f64 / messages as f64;
    let mut pairs = Pairs::new(Better::Lower);
    pairs.push(each(taken), each(raw));
    let name = "memory of a waiting message";
    let line = Comparison::of(name, "in a raw stream", "bytes", &pairs);
    report.ratios.push(line.goal(GOAL));
    Ok(())
}
