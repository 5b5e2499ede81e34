//! One message.

use longshore::Connection;
use longshore::core::{Dedup, DedupKey, IdOrigin, MessageId, NewMessage, QueueName};
use longshore::{ItemOutcome, Queue};
use serde::Serialize;
use uuid::Uuid;

use super::checks::{self, Limits};
use crate::args::{EnqueueArgs, MessageArgs};
use crate::error::{CliError, Result, told};
use crate::exit::Exit;
use crate::input::{Input, read_all};
use crate::output::Stdout;
use crate::parse::rfc3339;
use crate::session::Session;

/// What is printed of it.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    id: String,
    queue: &'a str,
    outcome: &'static str,
}

pub(super) async fn perform(args: EnqueueArgs, session: &Session) -> Result<Exit> {
    let input = Input::of(args.body.as_deref())?;
    if args.message.dedup_window.is_some() && args.dedup_key.is_none() {
        return Err(CliError::usage(
            "--dedup-window goes with --dedup-key: it says how long a repeat of that is recognised",
        ));
    }
    let template = template(&args.message)?;
    let reader = input.open()?;
    let connection = session.open_or_create().await?;
    let limits = limits(&connection, &args.queue).await?;
    let body = read_all(reader, limits.body_max)?
        .ok_or_else(|| CliError::usage(limits.too_large(None)))?;
    let mut message = template;
    message.body = body.into();
    if let Some(id) = args.id {
        message.id = id;
        message.id_origin = IdOrigin::Given;
    }
    message.dedup = args.dedup_key.map(|key| dedup(key, &args.message));
    limits.check(&message).map_err(CliError::usage)?;
    if let Some(at) = args.message.due.at
        && at < connection.clock().now()
    {
        session.note(format_args!(
            "{} is over: the message is due now",
            rfc3339(at)
        ));
    }
    store(session, &connection, &args.queue, message).await
}

async fn store(
    session: &Session,
    connection: &Connection,
    queue: &QueueName,
    message: NewMessage,
) -> Result<Exit> {
    let queue: Queue = connection.queue(queue)?;
    let outcome = queue
        .enqueue_messages(vec![message])
        .await
        .map_err(|error| CliError::new(Exit::Failed, error.to_string()))?;
    let (id, word) = match outcome.items.into_iter().next() {
        Some(item) => match item.outcome {
            ItemOutcome::Stored => (item.id, "stored"),
            ItemOutcome::Duplicate { first } => (first, "duplicate"),
            ItemOutcome::Failed(error) => {
                return Err(CliError::new(Exit::from(error.kind()), told(&error)));
            }
            _ => return Err(CliError::new(Exit::Unavailable, "the store was not asked")),
        },
        None => return Err(CliError::new(Exit::Failed, "the store gave no answer")),
    };
    let answer = Answer {
        id: id.to_string(),
        queue: queue.name().as_str(),
        outcome: word,
    };
    print(&answer, session).map_err(|error| error.and_so_far(answer.in_words()))
}

fn print(answer: &Answer<'_>, session: &Session) -> Result<Exit> {
    if session.json() {
        Stdout::json(answer)?;
    } else {
        Stdout::text(&answer.id)?;
        if answer.outcome == "duplicate" {
            session.note("it is a duplicate of the message printed; nothing was stored");
        }
    }
    Ok(Exit::Done)
}

impl Answer<'_> {
    /// What a user who cannot read the answer must know before enqueueing it again.
    fn in_words(&self) -> String {
        let Self { id, queue, outcome } = self;
        match *outcome {
            "duplicate" => format!("it is a duplicate of message {id} of queue \"{queue}\""),
            _ => format!("message {id} was stored in queue \"{queue}\""),
        }
    }
}

/// The limits of a queue, settings included.
pub(super) async fn limits(connection: &Connection, queue: &QueueName) -> Result<Limits> {
    let backend = connection.backend();
    let settings = backend.admin.settings(queue).await?;
    Ok(Limits::new(queue, &backend.queues.limits(), &settings))
}

/// A message with a fresh id, an empty body and everything the options say.
pub(super) fn template(args: &MessageArgs) -> Result<NewMessage> {
    let headers = checks::headers(&args.header).map_err(CliError::usage)?;
    let mut message = NewMessage::new(
        fresh_id(),
        IdOrigin::Fresh,
        args.kind.clone().unwrap_or_default(),
        "",
    );
    message.headers = headers;
    message.group.clone_from(&args.group);
    message.lane = args.priority.map(Into::into).unwrap_or_default();
    message.due = args.due.due();
    message.expires = args.expires.map(|span| longshore::core::Due::In(span.0));
    message.check_times().map_err(CliError::usage)?;
    Ok(message)
}

/// A dedup key with the window of the options.
pub(super) fn dedup(key: DedupKey, args: &MessageArgs) -> Dedup {
    Dedup {
        key,
        window: args
            .dedup_window
            .map_or(Dedup::WINDOW_DEFAULT, |window| window.0),
    }
}

/// A new id, sorted by time.
pub(super) fn fresh_id() -> MessageId {
    MessageId::from_uuid(Uuid::now_v7())
}
