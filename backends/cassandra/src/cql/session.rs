//! The connections of a process to a cluster, and the ways to run a statement on them.

use std::fmt;

use longshore_core::{Result, StoreError};
use scylla::deserialize::row::DeserializeRow;
use scylla::response::query_result::QueryRowsResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row};

use crate::cql::attempts::Attempts;
use crate::cql::data_centre::DataCentre;
use crate::cql::driver::{Driver, Values};
use crate::cql::queue_def::Cache;
use crate::cql::statements::Statements;
use crate::error::{failed, unexpected_reply};

/// An open connection to a cluster. Stores of several cells may share one.
pub(crate) struct Link {
    pub(crate) driver: Driver,
    pub(crate) keyspace: String,
    /// The data centre whose nodes are asked.
    pub(crate) here: DataCentre,
    pub(crate) statements: Statements,
    /// What is known of the queues of all cells.
    pub(crate) queues: Cache,
}

impl Link {
    /// Runs a statement that answers no rows.
    pub(crate) async fn run(
        &self,
        operation: &'static str,
        statement: &PreparedStatement,
        values: impl SerializeRow + Send + Sync,
    ) -> Result<()> {
        let attempts = Attempts::new();
        let mut statement = statement.clone();
        statement.set_history_listener(attempts.clone());
        let done = self.driver.execute(&statement, &values).await;
        done.map(drop)
            .map_err(|error| attempts.failed(operation, error))
    }

    /// Runs the same statement for several values of one partition, as one mutation.
    pub(crate) async fn run_all<V: SerializeRow + Send + Sync>(
        &self,
        operation: &'static str,
        statement: &PreparedStatement,
        values: Vec<V>,
    ) -> Result<()> {
        if let [value] = values.as_slice() {
            return self.run(operation, statement, value).await;
        }
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_consistency(scylla::statement::Consistency::LocalQuorum);
        batch.set_is_idempotent(true);
        let attempts = Attempts::new();
        batch.set_history_listener(attempts.clone());
        for _ in &values {
            batch.append_statement(statement.clone());
        }
        let values = values.iter().map(|value| value as Values<'_>).collect();
        let done = self.driver.batch(&batch, values).await;
        done.map(drop)
            .map_err(|error| attempts.failed(operation, error))
    }

    /// Reads the one row there may be.
    pub(crate) async fn one<R>(
        &self,
        operation: &'static str,
        statement: &PreparedStatement,
        values: impl SerializeRow + Send + Sync,
    ) -> Result<Option<R>>
    where
        R: for<'f> DeserializeRow<'f, 'f>,
    {
        let answer = self.driver.execute(statement, &values).await;
        let answer = answer.map_err(|error| failed(operation, error))?;
        let rows = answer
            .into_rows_result()
            .map_err(|error| unexpected_reply(operation, &error))?;
        rows.maybe_first_row::<R>()
            .map_err(|error| unexpected_reply(operation, &error))
    }

    /// Reads all rows, page by page. An empty page is not the end; a page that fails is an
    /// error of the whole.
    pub(crate) async fn all<R, T>(
        &self,
        operation: &'static str,
        statement: &PreparedStatement,
        values: impl SerializeRow + Send + Sync,
        make: impl Fn(R) -> T,
    ) -> Result<Vec<T>>
    where
        R: for<'f> DeserializeRow<'f, 'f>,
    {
        let mut all = Vec::new();
        let mut state = PagingState::start();
        loop {
            let page = self.driver.page(statement, &values, state).await;
            let (answer, next) = page.map_err(|error| failed(operation, error))?;
            let rows = answer
                .into_rows_result()
                .map_err(|error| unexpected_reply(operation, &error))?;
            take_rows(operation, &rows, &make, &mut all)?;
            match next {
                PagingStateResponse::HasMorePages { state: more } => state = more,
                PagingStateResponse::NoMorePages => return Ok(all),
            }
        }
    }

    /// Runs a lightweight transaction. Answers whether it was applied.
    pub(crate) async fn transact(
        &self,
        operation: &'static str,
        statement: &PreparedStatement,
        values: impl SerializeRow + Send + Sync,
    ) -> Result<bool> {
        let answer = self.driver.execute(statement, &values).await;
        let answer = answer.map_err(|error| failed(operation, error))?;
        let rows = answer
            .into_rows_result()
            .map_err(|error| unexpected_reply(operation, &error))?;
        applied(operation, &rows)
    }

    /// Runs a lightweight transaction of several statements on one partition.
    pub(crate) async fn transact_all(
        &self,
        operation: &'static str,
        batch: Batch,
        values: Vec<Values<'_>>,
    ) -> Result<bool> {
        let answer = self.driver.batch(&batch, values).await;
        let answer = answer.map_err(|error| failed(operation, error))?;
        let rows = answer
            .into_rows_result()
            .map_err(|error| unexpected_reply(operation, &error))?;
        applied(operation, &rows)
    }
}

fn take_rows<R, T>(
    operation: &'static str,
    rows: &QueryRowsResult,
    make: impl Fn(R) -> T,
    all: &mut Vec<T>,
) -> Result<(), StoreError>
where
    R: for<'f> DeserializeRow<'f, 'f>,
{
    let read = rows
        .rows::<R>()
        .map_err(|error| unexpected_reply(operation, &error))?;
    for row in read {
        all.push(make(
            row.map_err(|error| unexpected_reply(operation, &error))?,
        ));
    }
    Ok(())
}

/// The first column of the answer to a lightweight transaction.
fn applied(operation: &'static str, rows: &QueryRowsResult) -> Result<bool> {
    let row = rows
        .maybe_first_row::<Row>()
        .map_err(|error| unexpected_reply(operation, &error))?;
    match row.and_then(|row| row.columns.into_iter().next().flatten()) {
        Some(CqlValue::Boolean(applied)) => Ok(applied),
        _ => Err(unexpected_reply(
            operation,
            &"it does not say whether it was applied",
        )),
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("keyspace", &self.keyspace)
            .finish_non_exhaustive()
    }
}
