//! `dead redrive ID --body` and `--set`: one dead letter lives again with another body.
//!
//! A message never changes, so it is another message: it has the history of the first, an id of its
//! own, and a header that names the first. It is put beside the first as a dead letter that holds
//! the group where that does, then the first goes, then it is redriven. Wherever that breaks off,
//! at least one of them is there and nothing of the group has passed; the same command goes on.

use longshore::Connection;
use longshore::core::{
    Changed, Content, Found, IdOrigin, Message, MessageId, QueueName, StoredMessage,
};
use serde::Serialize;

use crate::args::DeadEdit;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::input::{Input, read_all};
use crate::output::Stdout;
use crate::parse::Assignment;
use crate::session::{Session, existing};

/// The header that names the message whose body was replaced.
const EDITED_FROM: &str = "edited_from";

/// What is printed of it.
#[derive(Debug, Serialize)]
struct Answer {
    id: MessageId,
    edited_from: MessageId,
    outcome: &'static str,
}

pub(super) async fn perform(
    queue: &QueueName,
    ids: &[MessageId],
    edit: &DeadEdit,
    dry_run: bool,
    session: &Session,
) -> Result<Exit> {
    let [first] = ids else {
        return Err(CliError::usage(
            "--body and --set change one message: name its id, and no other",
        ));
    };
    let connection = session.open().await?;
    existing(connection.backend(), queue).await?;
    let found = connection.backend().admin.find(queue, *first).await?;
    let Found::Message(before) = found else {
        return Err(missing(queue, *first, &found));
    };
    let body = new_body(&before, edit, &connection, queue).await?;
    let after = edited(*before, body)?;
    let id = after.id();
    let outcome = if dry_run {
        "would_redrive"
    } else {
        replace(&connection, queue, *first, &after).await?;
        "redriven"
    };
    if session.json() {
        Stdout::json(&Answer {
            id,
            edited_from: *first,
            outcome,
        })?;
    } else {
        let done = outcome.replace("would_redrive", "would be redriven");
        Stdout::text(&format!("{first} {done} as {id}"))?;
    }
    Ok(Exit::Done)
}

async fn replace(
    connection: &Connection,
    queue: &QueueName,
    first: MessageId,
    after: &StoredMessage,
) -> Result<()> {
    let admin = &connection.backend().admin;
    let id = after.id();
    admin.adopt(queue, std::slice::from_ref(after)).await?;
    let so_far = || {
        format!(
            "message {id} with the new body is a dead letter beside it; the same command goes on"
        )
    };
    let removed = admin.discard(queue, &[first]).await;
    removed.map_err(|error| CliError::from(error).and_so_far(so_far()))?;
    let hint = format!(
        "message {id} has taken its place among the dead letters: longshore dead redrive {queue} {id}"
    );
    let redriven = admin.redrive(queue, &[id]).await;
    match redriven.map_err(|error| CliError::from(error).and_so_far(&hint))?[..] {
        [Changed::Applied] => Ok(()),
        _ => Err(CliError::new(
            Exit::Partial,
            format!("it was not redriven; {hint}"),
        )),
    }
}

async fn new_body(
    before: &StoredMessage,
    edit: &DeadEdit,
    connection: &Connection,
    queue: &QueueName,
) -> Result<Vec<u8>> {
    let backend = connection.backend();
    let settings = backend.admin.settings(queue).await?;
    let max = settings.body_bytes_max(&backend.queues.limits());
    let too_large = || {
        CliError::usage(format!(
            "the new body has more than {max} bytes, which is what queue \"{queue}\" takes"
        ))
    };
    if let Some(body) = &edit.body {
        let reader = Input::of(Some(body))?.open()?;
        return read_all(reader, max)?.ok_or_else(too_large);
    }
    let body = Assignment::apply_all(&edit.set, before.body()).map_err(CliError::usage)?;
    if body.len() > max {
        return Err(too_large());
    }
    Ok(body)
}

/// The dead letter that takes the place of the first.
fn edited(mut stored: StoredMessage, body: Vec<u8>) -> Result<StoredMessage> {
    let first = stored.id();
    if stored.dead().is_none() {
        let state = stored.state.as_str();
        return Err(CliError::nothing_matched(format!(
            "message {first} is no dead letter, it is {state}; only what nobody works on can be changed"
        )));
    }
    let Content::Intact(message) = &mut stored.content else {
        return Err(CliError::new(
            Exit::Partial,
            format!("the row of message {first} is damaged; it can only be exported or discarded"),
        ));
    };
    change(message, first, body);
    message.headers.check().map_err(CliError::usage)?;
    stored.checkpoint = None;
    Ok(stored)
}

fn change(message: &mut Message, first: MessageId, body: Vec<u8>) {
    message.id = MessageId::from_content(&[b"edited", first.as_uuid().as_bytes(), &body]);
    message.id_origin = IdOrigin::Given;
    // The key is that of what was enqueued.
    message.dedup = None;
    message.headers.insert(EDITED_FROM, first.to_string());
    message.body = body.into();
}

fn missing(queue: &QueueName, id: MessageId, found: &Found) -> CliError {
    match found {
        Found::NotFound => CliError::nothing_matched(format!(
            "there is no message {id}; where an earlier change of it was cut off, what took its \
             place is in `longshore dead list {queue} --where header.{EDITED_FROM}={id}`"
        )),
        _ => CliError::new(
            Exit::TryAgain,
            format!("message {id} is not among the rows searched; try again later"),
        ),
    }
}
