//! Connections that read beside the writer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::database::connect;
use crate::error::{Outcome, sql};

/// Maximum idle connections that are kept.
const IDLE_MAX: usize = 4;

/// Lends out connections. No read transaction outlives its call: an open one would keep the WAL
/// from being used again.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// Reads the file at `path`.
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Arc::default(),
        }
    }

    /// Reads one consistent state of the file.
    pub(crate) async fn read<T, F>(
        &self,
        operation: &'static str,
        timeout: Duration,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || readers.run(operation, work));
        match tokio::time::timeout(timeout, reading).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(StoreError::new(
                StoreErrorKind::Unexpected,
                operation,
                "reading the database stopped",
            )
            .caused_by(error)),
            Err(_) => Err(StoreError::new(
                StoreErrorKind::Timeout,
                operation,
                format!("the database did not answer within {timeout:?}; try again"),
            )),
        }
    }

    fn run<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Outcome<T>,
    ) -> Result<T> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let conn = match idle {
            Some(conn) => conn,
            None => connect::reader(&self.path).map_err(|error| sql(operation, error))?,
        };
        let answer = consistent(&conn, work);
        if conn.is_autocommit() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_MAX {
                idle.push(conn);
            }
        }
        answer.map_err(|fault| fault.of(operation))
    }
}

fn consistent<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
    conn.execute_batch("BEGIN")?;
    let answer = work(conn);
    conn.execute_batch("ROLLBACK")?;
    answer
}
