//! The calls of the driver, in one shape for all values.
//!
//! The driver's own futures are large, there is one for each type of values, and the compiler asks
//! of each in each caller whether it may move between threads; the same of the session, whose
//! parts are many. That was most of the time it took to check this crate. Here they are boxed, and
//! callers see pointers. The allocation is nothing beside a round trip.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::cluster::ClusterState;
use scylla::errors::{ExecutionError, MetadataError, NewSessionError, PrepareError};
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::Statement;
use scylla::statement::batch::Batch;
use scylla::statement::prepared::PreparedStatement;

/// What is bound to a statement, of any type.
pub(crate) type Values<'a> = &'a (dyn SerializeRow + Sync);

/// What comes of a call that the driver made.
type Called<'a, T> = BoxFuture<'a, Result<T, ExecutionError>>;

/// The driver with its open connections.
pub(crate) struct Driver(Box<dyn Borrow<Session> + Send + Sync>);

impl Driver {
    /// Opens the connections.
    pub(crate) fn open(
        builder: SessionBuilder,
    ) -> BoxFuture<'static, Result<Self, NewSessionError>> {
        Box::pin(async move {
            let session = builder.build().await?;
            Ok(Self(Box::new(session)))
        })
    }

    /// The session itself.
    pub(crate) fn session(&self) -> &Session {
        (*self.0).borrow()
    }

    /// What it knows of the cluster.
    pub(crate) fn cluster(&self) -> Arc<ClusterState> {
        self.session().get_cluster_state()
    }

    /// Asks the nodes what they know of the cluster.
    pub(crate) fn refresh(&self) -> BoxFuture<'_, Result<(), MetadataError>> {
        Box::pin(self.session().refresh_metadata())
    }

    /// Waits until all nodes know the same tables, as long as after a change of them.
    pub(crate) fn agreement(&self) -> Called<'_, ()> {
        Box::pin(async {
            let agreed = self.session().await_schema_agreement().await;
            agreed
                .map(drop)
                .map_err(ExecutionError::SchemaAgreementError)
        })
    }

    /// Prepares a statement on the nodes.
    pub(crate) fn prepare(
        &self,
        statement: impl Into<Statement>,
    ) -> BoxFuture<'_, Result<PreparedStatement, PrepareError>> {
        let statement: Statement = statement.into();
        Box::pin(self.session().prepare(statement))
    }

    /// Runs a statement that was not prepared and has no values.
    pub(crate) fn query(&self, statement: impl Into<Statement>) -> Called<'_, QueryResult> {
        let statement: Statement = statement.into();
        Box::pin(self.session().query_unpaged(statement, ()))
    }

    /// Runs a statement for all it answers.
    pub(crate) fn execute<'a>(
        &'a self,
        statement: &'a PreparedStatement,
        values: Values<'a>,
    ) -> Called<'a, QueryResult> {
        Box::pin(self.session().execute_unpaged(statement, values))
    }

    /// Runs a statement for one page of what it answers.
    pub(crate) fn page<'a>(
        &'a self,
        statement: &'a PreparedStatement,
        values: Values<'a>,
        state: PagingState,
    ) -> Called<'a, (QueryResult, PagingStateResponse)> {
        Box::pin(self.session().execute_single_page(statement, values, state))
    }

    /// Runs the statements of a batch, each with its own values.
    pub(crate) fn batch<'a>(
        &'a self,
        batch: &'a Batch,
        values: Vec<Values<'a>>,
    ) -> Called<'a, QueryResult> {
        Box::pin(self.session().batch(batch, values))
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
