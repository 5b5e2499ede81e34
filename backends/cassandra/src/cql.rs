//! Everything that speaks CQL: connections, statements, tables, and the rows in them.
//!
//! **Owns** the session of a process and its prepared statements ([`session`], [`statements`]),
//! the tables and how they come to be ([`schema`], [`migrate`]), which data centre is asked and
//! which cell it works ([`data_centre`], [`cells`]), and what is stored by name: queues
//! ([`queue_catalog`]), aggregates ([`aggregate_catalog`]) and dedup keys ([`dedup_keys`]).
//! [`storage`] implements the storage of the protocol on it, [`aggregate_logs`] that of aggregates. The statements that messages live by are prepared here, each with its
//! consistency; only checks and the floor of `bench` build others.
//!
//! **Invariant.** Each statement says whether it may be repeated. One that may is sent to another
//! node where the first is silent; one that may not (a lightweight transaction) is read back
//! instead. Each call ends within the `timeout` of the URL, and its error says whether the write
//! was done, was certainly not done, or may have been.
//!
//! **When a process is killed.** A creator that dies between two tables leaves the tables it made
//! and a note that says who was at work; the next creator waits until that note is a minute old
//! and goes on with the missing tables. A registered cell stays registered. Any other statement is
//! one mutation of one partition, or a batch of one partition: it is there or it is not.
//!
//! **Who writes.** `meta`, `cell`, `queue_def`, `aggregate_def` and the dedup tables are written here, at the
//! request of the calls at the root; `named_lease` and `worker` by [`crate::coordination`]; the
//! logs of aggregates by [`crate::aggregate`]. All other tables are written through [`storage`] by the steps of [`crate::producer`],
//! [`crate::ownership`], [`crate::shard`] and [`crate::settle`].

pub(crate) mod aggregate_catalog;
pub(crate) mod aggregate_logs;
pub(crate) mod attempts;
pub(crate) mod cells;
mod columns;
pub(crate) mod connect;
pub(crate) mod data_centre;
pub(crate) mod dedup_keys;
pub(crate) mod driver;
pub(crate) mod greeting;
pub(crate) mod migrate;
pub(crate) mod node_metrics;
pub(crate) mod queue_catalog;
pub(crate) mod queue_def;
pub(crate) mod schema;
pub(crate) mod session;
pub(crate) mod statements;
pub(crate) mod storage;
