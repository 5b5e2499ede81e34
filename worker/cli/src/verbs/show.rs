//! `show` and `dead show`: one message from all sides.

use longshore::Connection;
use longshore::core::{Content, Found, MessageId, MessageState, QueueName, StoredMessage};
use longshore_routes::StoppedAt;

use crate::args::ShowArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, escape};
use crate::parse::rfc3339;
use crate::session::{Session, existing};
use crate::shape::{Shown, history};

pub(super) async fn perform(args: ShowArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let stored = find(&connection, &args.queue, args.id).await?;
    print(&args.queue, &stored, session)
}

/// The message, or the error that says why there is none.
pub(super) async fn find(
    connection: &Connection,
    queue: &QueueName,
    id: MessageId,
) -> Result<Box<StoredMessage>> {
    let backend = connection.backend();
    existing(backend, queue).await?;
    match backend.admin.find(queue, id).await? {
        Found::Message(stored) => Ok(stored),
        Found::NotFound => Err(CliError::nothing_matched(format!(
            "queue \"{queue}\" has no message {id}; it was acked, cancelled, or never here"
        ))),
        _ => Err(CliError::new(
            Exit::TryAgain,
            format!(
                "message {id} was not among the rows searched; it may be there, try again later"
            ),
        )),
    }
}

/// Prints a message.
pub(super) fn print(queue: &QueueName, stored: &StoredMessage, session: &Session) -> Result<Exit> {
    if session.json() {
        Stdout::json(&Shown::of(queue, stored))?;
    } else {
        Stdout::text(&text(queue, stored))?;
    }
    Ok(Exit::Done)
}

fn text(queue: &QueueName, stored: &StoredMessage) -> String {
    let mut lines = Vec::new();
    let mut add = |name: &str, value: String| lines.push(line(name, &value));
    add("id", stored.id().to_string());
    add("queue", queue.to_string());
    add("state", state(stored));
    if let Some(message) = stored.message() {
        add("kind", message.kind.to_string());
        add("priority", message.lane.as_str().to_owned());
        if let Some(group) = &message.group {
            add("group", group.to_string());
        }
        add("enqueued", rfc3339(message.enqueued_at));
        if let Some(at) = message.expires_at {
            add("expires", rfc3339(at));
        }
        if let Some(dedup) = &message.dedup {
            add("dedup key", dedup.key.to_string());
        }
    }
    add("due", rfc3339(stored.due_at));
    add("attempts", stored.attempts.to_string());
    if let Some(mark) = stored.dead() {
        add("reason", mark.reason.as_str().to_owned());
        add("error", mark.error.clone().unwrap_or_default());
        if mark.parks_group {
            add(
                "group is",
                "held until this is redriven or discarded".into(),
            );
        }
    }
    for (name, value) in stored
        .message()
        .iter()
        .flat_map(|message| message.headers.iter())
    {
        add("header", format!("{name}: {value}"));
    }
    for row in history(stored) {
        add(
            &format!("attempt {}", row.attempt),
            format!(
                "{} {} {} {}",
                row.ended_at.unwrap_or_else(|| "without a record:".into()),
                row.label,
                row.worker
                    .unwrap_or_else(|| "in a crash, or with its lease".into()),
                row.error.unwrap_or_default()
            ),
        );
    }
    let stopped = stored.checkpoint.as_ref().and_then(StoppedAt::read);
    lines.extend(stopped.as_ref().map(step_in_words));
    lines.push(String::new());
    lines.push(body(stored));
    lines.extend(stopped.and_then(body_of_step));
    lines.join("\n")
}

fn line(name: &str, value: &str) -> String {
    format!("{name:<12} {}", escape::line(value))
}

/// The line that says at which step of its route a message stopped.
fn step_in_words(at: &StoppedAt) -> String {
    let step = format!("step {} of route {}: {}", at.step, at.route, at.name);
    line("stopped at", &step)
}

/// The body that this step had, where it is another one than the message's own.
fn body_of_step(stopped: StoppedAt) -> Option<String> {
    let body = text_of(&stopped.body?);
    let step = stopped.step;
    Some(format!("\nthe body that step {step} had:\n\n{body}"))
}

fn state(stored: &StoredMessage) -> String {
    match &stored.state {
        MessageState::Leased { until } => format!("leased until {}", rfc3339(*until)),
        MessageState::Dead(mark) => format!("dead since {}", rfc3339(mark.dead_at)),
        other => other.as_str().to_owned(),
    }
}

fn body(stored: &StoredMessage) -> String {
    let bytes = match &stored.content {
        Content::Intact(message) => &message.body,
        Content::Damaged { body, .. } => body,
    };
    text_of(bytes)
}

fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => escape::lines(text),
        Err(_) => format!(
            "({} bytes that are no text; --json prints them)",
            bytes.len()
        ),
    }
}
