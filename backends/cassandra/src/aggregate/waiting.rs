//! Calls that wait to be put into a record.

use std::collections::VecDeque;
use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use tokio::sync::oneshot;

use crate::aggregate::log::Batch;
use crate::aggregate::record::Command;
use crate::aggregate::replica::Reply;
use crate::aggregate::storage::PartRow;

/// Parts of one record.
pub(super) const PARTS_MAX: usize = 500;
/// Bytes of the parts of one record: one mutation.
pub(super) const BYTES_MAX: usize = 512 * 1024;
/// Commands of one record.
const COMMANDS_MAX: usize = 500;
/// Calls of a shard that wait at a time, and bytes of their parts.
const WAITING_MAX: usize = 10_000;
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;
/// When a call that found no room may be made again.
const RETRY_FULL: Duration = Duration::from_millis(200);

/// Who is told what came of a call.
pub(super) type Tell = oneshot::Sender<Result<Reply>>;

/// The calls in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    calls: VecDeque<Call>,
    bytes: usize,
}

#[derive(Debug)]
struct Call {
    command: Command,
    parts: Vec<PartRow>,
    bytes: usize,
    tell: Tell,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Adds a call. One that finds too many before it is refused, and had no effect.
    pub(super) fn push(&mut self, command: Command, parts: Vec<PartRow>, tell: Tell) -> Result<()> {
        let bytes: usize = parts.iter().map(PartRow::len).sum();
        let has_room = self.calls.len() < WAITING_MAX && self.bytes < WAITING_BYTES_MAX;
        if !has_room {
            let said = format!(
                "{} calls of this process wait for the same shard of the aggregate already; make fewer \
                 at a time",
                self.calls.len()
            );
            let error = StoreError::new(StoreErrorKind::Overloaded, "aggregate", said);
            return Err(error.retry_after(RETRY_FULL));
        }
        self.bytes += bytes;
        self.calls.push_back(Call {
            command,
            parts,
            bytes,
            tell,
        });
        Ok(())
    }

    /// Moves calls to a record, as many as it takes, without those that nobody waits for.
    pub(super) fn fill(&mut self, batch: &mut Batch, tell: &mut Vec<Tell>) {
        let mut bytes: usize = batch.parts.iter().map(PartRow::len).sum();
        while let Some(next) = self.calls.front() {
            let parts = batch.parts.len() + next.parts.len();
            let is_full =
                tell.len() == COMMANDS_MAX || parts > PARTS_MAX || bytes + next.bytes > BYTES_MAX;
            if is_full && !tell.is_empty() {
                break;
            }
            let Some(next) = self.calls.pop_front() else {
                break;
            };
            self.bytes -= next.bytes;
            if next.tell.is_closed() {
                continue;
            }
            bytes += next.bytes;
            batch.commands.push(next.command);
            batch.parts.extend(next.parts);
            tell.push(next.tell);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn part(bytes: usize) -> PartRow {
        PartRow {
            head: Bytes::new(),
            body: vec![0; bytes].into(),
        }
    }

    fn push(
        waiting: &mut Waiting,
        parts: Vec<PartRow>,
    ) -> Result<oneshot::Receiver<Result<Reply>>> {
        let (tell, told) = oneshot::channel();
        let command = Command::Acknowledged { by: 1, upto: 1 };
        waiting.push(command, parts, tell).map(|()| told)
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let mut waiting = Waiting::default();
        let mut told: Vec<_> = (0..WAITING_MAX)
            .map(|_| push(&mut waiting, Vec::new()).unwrap())
            .collect();
        let refused = push(&mut waiting, Vec::new()).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Overloaded);
        assert!(refused.retry_hint().is_some());
        // Nobody waits for the first: it makes room for two records.
        told.remove(0);
        let (mut batch, mut tell) = (Batch::default(), Vec::new());
        waiting.fill(&mut batch, &mut tell);
        assert_eq!(
            (tell.len(), batch.commands.len()),
            (COMMANDS_MAX, COMMANDS_MAX)
        );
        push(&mut waiting, Vec::new()).unwrap();
    }

    #[test]
    fn their_bytes_are_bounded_and_given_back() {
        let mut waiting = Waiting::default();
        let count = WAITING_BYTES_MAX / BYTES_MAX;
        let told: Vec<_> = (0..count)
            .map(|_| push(&mut waiting, vec![part(BYTES_MAX)]).unwrap())
            .collect();
        assert_eq!(
            push(&mut waiting, Vec::new()).unwrap_err().kind(),
            StoreErrorKind::Overloaded
        );
        // A record takes one of these calls: the next one does not fit.
        let (mut batch, mut tell) = (Batch::default(), Vec::new());
        waiting.fill(&mut batch, &mut tell);
        assert_eq!((tell.len(), batch.parts.len()), (1, 1));
        push(&mut waiting, Vec::new()).unwrap();
        drop(told);
        waiting.fill(&mut Batch::default(), &mut Vec::new());
        assert_eq!((waiting.is_empty(), waiting.bytes), (true, 0));
    }
}
