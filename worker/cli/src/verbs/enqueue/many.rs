//! Many messages from a stream, in batches, with bounded memory.

use std::time::Duration;

use longshore::core::{MessageId, NewMessage, StoreErrorKind};
use longshore::{ItemOutcome, Queue};
use serde::Serialize;
use tokio::time::Instant;

use super::checks::Limits;
use super::json_line;
use super::one::{fresh_id, limits, template};
use crate::args::EnqueueArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::input::{self, Input, Line, Reader, unreadable};
use crate::output::{Stdout, complain};
use crate::progress::Progress;
use crate::session::Session;
use crate::signals::Signals;

/// At most this many messages go in one call.
const BATCH_MAX: usize = 500;
/// And at most this many bytes of bodies.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A line waits so long for others to be stored with it.
const FELLOWS_MAX: Duration = Duration::from_millis(200);
/// What a line of JSON may be longer than the body in it: headers, and six characters a byte.
const LINE_FACTOR: usize = 6;
const LINE_SPARE: usize = 256 * 1024;

/// What became of the stream.
#[derive(Debug, Default, Serialize)]
struct Tally {
    stored: u64,
    duplicate: u64,
    failed: u64,
}

/// What became of a line, for `--ids --json`.
#[derive(Debug, Serialize)]
struct IdRow {
    line: u64,
    id: String,
    outcome: &'static str,
}

/// The stream at work.
struct Feed<'a> {
    args: &'a EnqueueArgs,
    queue: Queue,
    limits: Limits,
    template: NewMessage,
    as_json: bool,
    progress: Progress,
    tally: Tally,
    batch: Vec<NewMessage>,
    /// The line each message of the batch came from.
    lines: Vec<u64>,
    batch_bytes: usize,
}

pub(super) async fn perform(args: EnqueueArgs, session: &Session) -> Result<Exit> {
    let input = match Input::of(args.body.as_deref())? {
        Input::Literal(_) => {
            return Err(CliError::usage(
                "--lines and --jsonl read a stream; give - for stdin or @FILE",
            ));
        }
        input => input,
    };
    if args.lines && args.message.dedup_window.is_some() {
        return Err(CliError::usage(
            "--dedup-window goes with a dedup key, which --lines cannot give; --jsonl can",
        ));
    }
    let template = template(&args.message)?;
    let reader = input.open()?;
    let connection = session.open_or_create().await?;
    let mut feed = Feed {
        args: &args,
        queue: connection.queue(&args.queue)?,
        limits: limits(&connection, &args.queue).await?,
        template,
        as_json: session.json(),
        progress: Progress::new(session.quiet(), "stored", None),
        tally: Tally::default(),
        batch: Vec::new(),
        lines: Vec::new(),
        batch_bytes: 0,
    };
    let ended = feed.read(reader).await;
    let Feed {
        tally, progress, ..
    } = feed;
    drop(progress);
    print(&tally, args.ids, session).map_err(|error| error.and_so_far(tally.in_words()))?;
    match ended {
        Err(error) => Err(error.and_so_far(format!(
            "{} stored, {} duplicate before it",
            tally.stored, tally.duplicate
        ))),
        Ok(Some(signal)) => Ok(signal),
        Ok(None) if tally.failed > 0 => Ok(Exit::Partial),
        Ok(None) => Ok(Exit::Done),
    }
}

fn print(tally: &Tally, with_ids: bool, session: &Session) -> Result<()> {
    if with_ids {
        // Stdout is for the ids.
        session.note(tally.in_words());
        return Ok(());
    }
    if session.json() {
        return Stdout::json(tally);
    }
    Stdout::text(&tally.in_words())
}

impl Tally {
    fn in_words(&self) -> String {
        format!(
            "{} stored, {} duplicate, {} failed",
            self.stored, self.duplicate, self.failed
        )
    }
}

impl Feed<'_> {
    /// Stores lines until there are no more, or a signal comes: then what was read is stored, and
    /// the signal is answered.
    async fn read(&mut self, reader: Reader) -> Result<Option<Exit>> {
        let line_max = if self.args.jsonl {
            self.limits.body_max * LINE_FACTOR + LINE_SPARE
        } else {
            self.limits.body_max
        };
        let mut signals = Signals::listen()?;
        let mut pieces = input::read(reader, line_max)?;
        let mut number = 0;
        let mut flush_at: Option<Instant> = None;
        loop {
            let silence = async {
                match flush_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let piece = tokio::select! {
                biased;
                signal = signals.next() => {
                    self.flush().await?;
                    return Ok(Some(signal));
                }
                () = silence => {
                    self.flush().await?;
                    flush_at = None;
                    continue;
                }
                piece = pieces.recv() => piece,
            };
            let lines = match piece {
                Some(Ok(lines)) => lines,
                Some(Err(error)) => {
                    self.flush().await?;
                    return Err(unreadable(&error));
                }
                None => {
                    self.flush().await?;
                    return Ok(None);
                }
            };
            for line in lines {
                number += 1;
                match self.message(line) {
                    Ok(None) => {}
                    Ok(Some(message)) => self.take(message, number).await?,
                    Err(reason) => self.refuse(number, &reason),
                }
            }
            // A line waits so long for fellows, however steadily they come.
            flush_at = match flush_at {
                _ if self.batch.is_empty() => None,
                Some(at) => Some(at),
                None => Some(Instant::now() + FELLOWS_MAX),
            };
        }
    }

    /// The message of a line; `None` for a blank line of JSON.
    fn message(&self, line: Line) -> Result<Option<NewMessage>, String> {
        let bytes = match line {
            Line::TooLong => return Err(self.limits.too_large(None)),
            Line::Bytes(bytes) => bytes,
        };
        let mut message = self.template.clone();
        message.id = fresh_id();
        if self.args.jsonl {
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(None);
            }
            message = json_line::message(&bytes, message, &self.args.message)?;
        } else {
            message.body = bytes.into();
        }
        self.limits.check(&message)?;
        Ok(Some(message))
    }

    async fn take(&mut self, message: NewMessage, number: u64) -> Result<()> {
        self.batch_bytes += message.body.len();
        self.batch.push(message);
        self.lines.push(number);
        if self.batch.len() >= BATCH_MAX || self.batch_bytes >= BATCH_BYTES_MAX {
            return self.flush().await;
        }
        Ok(())
    }

    /// Stores what was gathered. One bad message does not take its neighbours along; a store
    /// that is full or away ends the stream.
    async fn flush(&mut self) -> Result<()> {
        self.batch_bytes = 0;
        let lines = std::mem::take(&mut self.lines);
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let outcome = self
            .queue
            .enqueue_messages(batch)
            .await
            .map_err(|error| CliError::new(Exit::Failed, error.to_string()))?;
        let before = self.tally.stored + self.tally.duplicate;
        let mut stopped = None;
        for (item, number) in outcome.items.into_iter().zip(lines) {
            match item.outcome {
                ItemOutcome::Stored => {
                    self.tally.stored += 1;
                    self.tell(number, item.id, "stored")?;
                }
                ItemOutcome::Duplicate { first } => {
                    self.tally.duplicate += 1;
                    self.tell(number, first, "duplicate")?;
                }
                ItemOutcome::Failed(error) if of_the_message(error.kind()) => {
                    self.refuse(number, &error.to_string());
                }
                ItemOutcome::Failed(error) => {
                    self.tally.failed += 1;
                    stopped.get_or_insert_with(|| {
                        CliError::new(Exit::from(error.kind()), error.to_string())
                            .while_doing(format!("line {number}"))
                    });
                }
                _ => self.tally.failed += 1,
            }
        }
        self.progress
            .advance(self.tally.stored + self.tally.duplicate - before);
        stopped.map_or(Ok(()), Err)
    }

    /// Prints the id of a line, where that is wanted.
    fn tell(&self, line: u64, id: MessageId, outcome: &'static str) -> Result<()> {
        if !self.args.ids {
            return Ok(());
        }
        let id = id.to_string();
        if self.as_json {
            return Stdout::json(&IdRow { line, id, outcome });
        }
        Stdout::text(&id)
    }

    fn refuse(&mut self, number: u64, reason: &str) {
        self.tally.failed += 1;
        complain(format_args!("line {number}: {reason}"));
    }
}

/// Whether the message is to blame and the next one may fare better.
fn of_the_message(kind: StoreErrorKind) -> bool {
    matches!(
        kind,
        StoreErrorKind::InvalidInput | StoreErrorKind::TooLarge
    )
}
