//! Where enqueues of several callers that go to one bucket wait for each other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use longshore_core::Result;
use tokio::sync::oneshot;

use crate::protocol::storage::{MessageRow, Stream};

/// A write takes no more than so many rows of several callers.
const TOGETHER: usize = 500;

/// A stream and the time whose bucket is meant.
pub(crate) type Place = (Stream, i64);

/// Where calls wait while one of their place is written. A place is listed as long as a process
/// writes to it.
#[derive(Default)]
pub(crate) struct WriteQueue(Mutex<HashMap<Place, Vec<Part>>>);

/// The rows of one call.
pub(crate) struct Part {
    pub(crate) rows: Vec<MessageRow>,
    pub(crate) answer: oneshot::Sender<Result<()>>,
}

impl WriteQueue {
    fn all(&self) -> MutexGuard<'_, HashMap<Place, Vec<Part>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins those who wait. Answers the rows again if nobody writes there: then the caller does.
    pub(crate) fn join(
        &self,
        place: Place,
        rows: Vec<MessageRow>,
    ) -> Result<oneshot::Receiver<Result<()>>, Vec<MessageRow>> {
        match self.all().entry(place) {
            Entry::Vacant(free) => {
                free.insert(Vec::new());
                Err(rows)
            }
            Entry::Occupied(mut line) => {
                let (answer, answered) = oneshot::channel();
                line.get_mut().push(Part { rows, answer });
                Ok(answered)
            }
        }
    }

    /// Those that the next write takes along; none if nobody waits any more.
    pub(crate) fn next(&self, place: Place) -> Vec<Part> {
        let mut all = self.all();
        let Some(line) = all.get_mut(&place) else {
            return Vec::new();
        };
        let mut rows = 0;
        let fits = line.iter().take_while(|part| {
            rows += part.rows.len();
            rows <= TOGETHER
        });
        let count = fits.count();
        let taken: Vec<_> = line.drain(..count).collect();
        if taken.is_empty() {
            all.remove(&place);
        }
        taken
    }
}

impl fmt::Debug for WriteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteQueue").finish_non_exhaustive()
    }
}
