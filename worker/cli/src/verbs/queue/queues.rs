//! `queues`: depths, oldest age, settings.

use std::io::IsTerminal as _;
use std::time::Duration;

use longshore::Connection;
use longshore::core::{QueueName, QueueSettings, QueueStats};

use crate::args::QueuesArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, Table, age, counted};
use crate::parse::rfc3339;
use crate::session::{Session, existing};
use crate::shape::QueueRow;

/// How many names are read at a time.
const PAGE: std::num::NonZeroU32 = std::num::NonZeroU32::new(500).expect("500 is not zero");

/// Oftener than this nobody can read them.
const WATCH_MIN: Duration = Duration::from_millis(100);

type Numbers = Vec<(QueueName, QueueStats)>;

pub(in crate::verbs) async fn perform(args: QueuesArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let only = args.queue.as_ref();
    if let Some(each) = args.watch {
        return watch(&connection, only, each.0, session).await;
    }
    let numbers = read(&connection, only).await?;
    if only.is_none() && args.over.is_none() {
        tell_collected(&connection, session).await?;
    }
    if let Some(span) = args.over {
        tokio::time::sleep(span.0).await;
        let later = read(&connection, only).await?;
        Stdout::text(&changes(&numbers, &later, span.0))?;
        return Ok(Exit::Done);
    }
    print(&connection, only, &numbers, session)?;
    Ok(Exit::Done)
}

/// Says how much is neither waiting nor done, since it is being collected.
async fn tell_collected(connection: &Connection, session: &Session) -> Result<()> {
    let Some(store) = &connection.backend().aggregates else {
        return Ok(());
    };
    let (mut parts, mut epochs, mut after) = (0, 0, None);
    loop {
        let page = store.list(after.as_ref(), PAGE).await?;
        for info in page.items {
            parts += info.open + info.closed;
            epochs += info.open_epochs + info.closed_epochs;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if epochs > 0 {
        session.note(format!(
            "{} are being collected in {}; `longshore aggregates list` shows them",
            counted(parts, "message"),
            counted(epochs, "epoch")
        ));
    }
    Ok(())
}

/// Prints the numbers again and again, until a signal or a reader that is gone ends it.
async fn watch(
    connection: &Connection,
    only: Option<&QueueName>,
    each: Duration,
    session: &Session,
) -> Result<Exit> {
    let mut beat = tokio::time::interval(each.max(WATCH_MIN));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let on_terminal = std::io::stdout().is_terminal() && !session.json();
    let mut is_first = true;
    loop {
        beat.tick().await;
        let numbers = read(connection, only).await?;
        if on_terminal {
            Stdout::clear()?;
        } else if !is_first && !session.json() {
            Stdout::text("\n")?;
        }
        is_first = false;
        print(connection, only, &numbers, session)?;
    }
}

fn print(
    connection: &Connection,
    only: Option<&QueueName>,
    numbers: &Numbers,
    session: &Session,
) -> Result<()> {
    let now = connection.clock().now();
    if session.json() {
        let rows: Vec<QueueRow> = numbers
            .iter()
            .map(|(name, of)| QueueRow::of(name, of, now))
            .collect();
        return Stdout::json(&rows);
    }
    if numbers.is_empty() {
        session.note("there are no queues yet");
    } else {
        Stdout::text(&table(numbers))?;
        if let Some(at) = numbers.iter().filter_map(|(_, of)| of.counted_at).min() {
            let ago = age(now.since(at));
            session.note(format!(
                "~ is an estimate; the oldest count in it is {ago} old"
            ));
        }
    }
    if let (Some(_), [(_, stats)]) = (only, numbers.as_slice()) {
        let limits = connection.backend().queues.limits();
        Stdout::text(&details(stats, limits.body_bytes_default))?;
    }
    Ok(())
}

async fn read(connection: &Connection, only: Option<&QueueName>) -> Result<Numbers> {
    let backend = connection.backend();
    if let Some(queue) = only {
        let stats = existing(backend, queue).await?;
        return Ok(vec![(queue.clone(), stats)]);
    }
    let mut numbers = Vec::new();
    let mut after = None;
    loop {
        let page = backend.admin.queues(after.as_ref(), PAGE).await?;
        for name in page.items {
            // One that is gone by now is not listed.
            if let Some(stats) = backend.admin.stats(&name).await? {
                numbers.push((name, stats));
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(numbers),
        }
    }
}

fn table(numbers: &Numbers) -> String {
    let mut table = Table::new(&[
        "QUEUE", "#WAITING", "#DELAYED", "#LEASED", "#DEAD", "#OLDEST", "STATE",
    ]);
    for (name, stats) in numbers {
        let about = if stats.exact { "" } else { "~" };
        let number = |count: u64| format!("{about}{count}");
        table.row([
            name.to_string(),
            number(stats.waiting),
            number(stats.delayed),
            number(stats.leased),
            number(stats.dead),
            stats.oldest_age.map_or_else(|| "-".into(), age),
            state(stats),
        ]);
    }
    table.render()
}

fn state(stats: &QueueStats) -> String {
    let mut words = Vec::new();
    if let Some(pause) = &stats.paused {
        let reason = if pause.reason.is_empty() {
            String::new()
        } else {
            format!(": {}", pause.reason)
        };
        words.push(format!("paused by {}{reason}", pause.author));
    }
    if let Some(mark) = &stats.moving {
        words.push(format!("moving to {}", mark.to));
    }
    if stats.parked > 0 {
        words.push(format!("{} parked", stats.parked));
    }
    if stats.set_aside > 0 {
        words.push(format!("{} of a newer version", stats.set_aside));
    }
    words.join(", ")
}

fn changes(before: &Numbers, after: &Numbers, span: Duration) -> String {
    let seconds = span.as_secs_f64().max(0.001);
    let mut table = Table::new(&[
        "QUEUE", "#WAITING", "#PER S", "#DELAYED", "#PER S", "#LEASED", "#DEAD", "#PER S",
    ]);
    for (name, now) in after {
        let then = before.iter().find(|(known, _)| known == name);
        let then = then.map(|(_, stats)| stats.clone()).unwrap_or_default();
        let rate = |then: u64, now: u64| format!("{:+.1}", (now as f64 - then as f64) / seconds);
        table.row([
            name.to_string(),
            now.waiting.to_string(),
            rate(then.waiting, now.waiting),
            now.delayed.to_string(),
            rate(then.delayed, now.delayed),
            now.leased.to_string(),
            now.dead.to_string(),
            rate(then.dead, now.dead),
        ]);
    }
    table.render()
}

fn details(stats: &QueueStats, body_max: usize) -> String {
    let mut lines = vec![String::new()];
    if let Some(pause) = &stats.paused {
        lines.push(format!("paused since {}", rfc3339(pause.since)));
    }
    if let Some(mark) = &stats.moving {
        lines.push(format!("moving since {}", rfc3339(mark.since)));
    }
    lines.push("settings:".into());
    lines.extend(settings(&stats.settings, body_max));
    crate::output::escape::lines(&lines.join("\n"))
}

/// `body_max` is what the store takes where the queue does not say, in bytes.
fn settings(settings: &QueueSettings, body_max: usize) -> Vec<String> {
    let by = |key: &str| {
        let author = settings.authors.get(key);
        author
            .map(|author| format!("  (set by {author})"))
            .unwrap_or_default()
    };
    let span = |millis: Option<u64>| millis.map(|millis| age(Duration::from_millis(millis)));
    let word = |value: Option<serde_json::Value>| {
        value.and_then(|value| value.as_str().map(str::to_owned))
    };
    let of_store = format!("{body_max} bytes");
    let rows = [
        ("expires", "expires_ms", span(settings.expires_ms), "never"),
        (
            "body_max",
            "body_max",
            settings.body_max.map(|bytes| format!("{bytes} bytes")),
            of_store.as_str(),
        ),
        (
            "depth_max",
            "depth_max",
            settings.depth_max.map(|depth| depth.to_string()),
            "no bound",
        ),
        (
            "on_group_dead",
            "on_group_dead",
            word(serde_json::to_value(settings.on_group_dead).ok()),
            "continue",
        ),
        (
            "on_expired",
            "on_expired",
            word(serde_json::to_value(settings.on_expired).ok()),
            "dead",
        ),
        (
            "id_window",
            "id_window_ms",
            span(settings.id_window_ms),
            "10m 0s",
        ),
        (
            "dead_keep",
            "dead_keep_ms",
            span(settings.dead_keep_ms),
            "forever",
        ),
    ];
    rows.into_iter()
        .map(|(name, key, value, default)| match value {
            Some(value) => format!("  {name}: {value}{}", by(key)),
            None => format!("  {name}: {default} (default)"),
        })
        .collect()
}
