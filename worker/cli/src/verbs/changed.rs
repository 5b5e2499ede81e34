//! What became of messages that were named by their ids.

use longshore::core::{Backend, Changed, MessageId, Result as StoreResult};

use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::Stdout;
use crate::session::Session;
use crate::shape::ChangedRow;

/// Calls the store for parts that are within its batch limit.
pub(super) async fn in_parts(
    backend: &Backend,
    ids: &[MessageId],
    call: impl AsyncFn(&[MessageId]) -> StoreResult<Vec<Changed>>,
) -> Result<Vec<Changed>> {
    let part = backend.queues.limits().batch_max.get() as usize;
    let mut outcomes = Vec::with_capacity(ids.len());
    for part in ids.chunks(part) {
        outcomes.extend(call(part).await?);
    }
    Ok(outcomes)
}

/// Prints each outcome. `done` is the word for what was applied.
pub(super) fn print(
    ids: &[MessageId],
    outcomes: &[Changed],
    done: &str,
    session: &Session,
) -> Result<Exit> {
    let rows = rows(ids, outcomes, ChangedRow::of);
    print_rows(&rows, done, session)?;
    exit(outcomes, done)
}

/// Prints the outcome that each would have, and ends as the run would end.
pub(super) fn print_dry(
    ids: &[MessageId],
    outcomes: &[Changed],
    done: &str,
    session: &Session,
) -> Result<Exit> {
    let rows = rows(ids, outcomes, ChangedRow::would);
    let done = format!("would be {done}");
    print_rows(&rows, &done, session)?;
    exit(outcomes, &done)
}

fn rows(
    ids: &[MessageId],
    outcomes: &[Changed],
    row: impl Fn(MessageId, Changed) -> ChangedRow,
) -> Vec<ChangedRow> {
    let pairs = ids.iter().zip(outcomes);
    pairs.map(|(id, outcome)| row(*id, *outcome)).collect()
}

fn print_rows(rows: &[ChangedRow], done: &str, session: &Session) -> Result<()> {
    if session.json() {
        return Stdout::json(&rows);
    }
    let mut stdout = Stdout::lock();
    for row in rows {
        let word = match row.outcome {
            "applied" | "would_apply" => done.to_owned(),
            other => other.replace('_', " "),
        };
        stdout.line(&format!("{} {word}", row.id))?;
    }
    stdout.finish()
}

/// How a command ends whose items had these outcomes: a search that hit its bound says try
/// again, nothing found at all is 3, anything refused is 4.
fn exit(outcomes: &[Changed], done: &str) -> Result<Exit> {
    let count = |wanted: Changed| {
        outcomes
            .iter()
            .filter(|outcome| **outcome == wanted)
            .count()
    };
    let applied = count(Changed::Applied);
    if applied == outcomes.len() {
        return Ok(Exit::Done);
    }
    let missing = count(Changed::NotFound);
    let of = outcomes.len();
    if count(Changed::NotFoundWithinBound) > 0 {
        return Err(CliError::new(
            Exit::TryAgain,
            format!(
                "{applied} of {of} {done}; others were not among the rows searched, try again later"
            ),
        ));
    }
    let was = if done.starts_with("would ") {
        ""
    } else {
        "was "
    };
    if missing == of {
        return Err(CliError::nothing_matched(format!(
            "nothing {was}{done}: there is no such message in a state that allows it"
        )));
    }
    let mut refused = Vec::new();
    for (outcome, why) in [
        (Changed::Leased, "in the hands of a worker"),
        (Changed::NotFound, "not there"),
        (
            Changed::Unreadable,
            "damaged, and can only be exported or discarded",
        ),
    ] {
        match count(outcome) {
            0 => {}
            some => refused.push(format!("{some} {why}")),
        }
    }
    Err(CliError::new(
        Exit::Partial,
        format!("{applied} of {of} {done}; {}", refused.join(", ")),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(outcomes: &[Changed]) -> u8 {
        exit(outcomes, "cancelled").map_or_else(|error| error.exit().code(), Exit::code)
    }

    #[test]
    fn the_worst_item_decides() {
        use Changed::{Applied, Leased, NotFound, NotFoundWithinBound, Unreadable};
        assert_eq!(code(&[Applied, Applied]), 0);
        assert_eq!(code(&[NotFound, NotFound]), 3);
        assert_eq!(code(&[Applied, NotFound]), 4);
        assert_eq!(code(&[Leased]), 4);
        assert_eq!(code(&[Unreadable]), 4);
        assert_eq!(code(&[NotFoundWithinBound]), 75);
        assert_eq!(code(&[Applied, NotFoundWithinBound, NotFound]), 75);
    }
}
