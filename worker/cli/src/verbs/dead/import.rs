//! `dead import`: dead letters that `dead export` wrote, whole.

mod line;

use longshore::Connection;
use longshore::core::{Adopted, QueueName, StoredMessage};
use serde::Serialize;

use crate::args::DeadImportArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::input::{self, Input, Line, unreadable};
use crate::output::{Stdout, complain, counted};
use crate::progress::Progress;
use crate::session::Session;
use crate::signals::Signals;

/// Maximum bytes of bodies in one call.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What a line may be longer than the body in it: headers, history, checkpoint, and six
/// characters a byte.
const LINE_FACTOR: usize = 6;
const LINE_SPARE: usize = 1024 * 1024;

/// What is printed of it.
#[derive(Debug, Default, Serialize)]
struct Tally {
    /// How many live here now that did not before.
    imported: u64,
    /// How many were here already, dead or alive.
    known: u64,
    /// How many lines are no dead letter.
    failed: u64,
}

impl Tally {
    fn in_words(&self) -> String {
        let imported = counted(self.imported, "dead letter");
        format!(
            "{imported} imported, {} known, {} failed",
            self.known, self.failed
        )
    }
}

/// The import at work.
struct Import<'a> {
    connection: &'a Connection,
    queue: &'a QueueName,
    progress: Progress,
    tally: Tally,
    batch: Vec<StoredMessage>,
    batch_bytes: usize,
}

pub(super) async fn perform(args: DeadImportArgs, session: &Session) -> Result<Exit> {
    let reader = match Input::of(args.file.as_deref())? {
        Input::Literal(_) => {
            return Err(CliError::usage(
                "dead import reads what dead export wrote; give - for stdin or @FILE",
            ));
        }
        input => input.open()?,
    };
    let connection = session.open_or_create().await?;
    let mut import = Import {
        connection: &connection,
        queue: &args.queue,
        progress: Progress::new(session.quiet(), "imported", None),
        tally: Tally::default(),
        batch: Vec::new(),
        batch_bytes: 0,
    };
    let ended = import.read(reader).await;
    let Import {
        tally, progress, ..
    } = import;
    drop(progress);
    let signal = ended.map_err(|error| {
        let so_far = tally.in_words();
        error.and_so_far(format!("{so_far} before it; the same command goes on"))
    })?;
    if session.json() {
        Stdout::json(&tally)?;
    } else {
        Stdout::text(&tally.in_words())?;
    }
    Ok(match signal {
        Some(signal) => signal,
        None if tally.failed > 0 => Exit::Partial,
        None => Exit::Done,
    })
}

impl Import<'_> {
    /// Takes over line by line, until there are no more or a signal comes.
    async fn read(&mut self, reader: input::Reader) -> Result<Option<Exit>> {
        let limits = self.connection.backend().queues.limits();
        let batch_max = limits.batch_max.get() as usize;
        let line_max = limits.body_bytes_max * LINE_FACTOR + LINE_SPARE;
        let mut signals = Signals::listen()?;
        let mut pieces = input::read(reader, line_max)?;
        let mut number = 0_u64;
        loop {
            let piece = tokio::select! {
                biased;
                signal = signals.next() => {
                    self.flush().await?;
                    return Ok(Some(signal));
                }
                piece = pieces.recv() => piece,
            };
            let Some(piece) = piece else {
                self.flush().await?;
                return Ok(None);
            };
            let lines = match piece {
                Ok(lines) => lines,
                Err(error) => {
                    self.flush().await?;
                    return Err(unreadable(&error));
                }
            };
            for line in lines {
                number += 1;
                match dead_letter(&line, limits.body_bytes_max) {
                    Ok(None) => {}
                    Ok(Some(stored)) => {
                        self.batch_bytes += stored.body().len();
                        self.batch.push(stored);
                    }
                    Err(reason) => {
                        self.tally.failed += 1;
                        complain(format_args!("line {number}: {reason}"));
                    }
                }
                if self.batch.len() >= batch_max || self.batch_bytes >= BATCH_BYTES_MAX {
                    self.flush().await?;
                }
            }
        }
    }

    /// Takes over what was gathered. To do so again changes nothing: they are known by their ids.
    async fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        let admin = &self.connection.backend().admin;
        for outcome in admin.adopt(self.queue, &batch).await? {
            match outcome {
                Adopted::Stored => self.tally.imported += 1,
                _ => self.tally.known += 1,
            }
        }
        self.progress.advance(batch.len() as u64);
        Ok(())
    }
}

/// The dead letter of a line; `None` of a blank one.
fn dead_letter(line: &Line, body_max: usize) -> std::result::Result<Option<StoredMessage>, String> {
    let too_large =
        || format!("it holds more than the {body_max} bytes of a body that this store takes");
    let bytes = match line {
        Line::TooLong => return Err(too_large()),
        Line::Bytes(bytes) => bytes,
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let stored = line::read(bytes)?;
    if stored.body().len() > body_max {
        return Err(too_large());
    }
    Ok(Some(stored))
}
