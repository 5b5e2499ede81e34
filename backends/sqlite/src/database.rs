//! The database of one file: the threads that work it, and the calls on their way to them.
//!
//! **Owns** the handle that all stores of a file share in this process ([`handle`]), its one writer
//! thread ([`writer`]) with what it does between calls ([`maintenance`]), the connections that read
//! beside it ([`reader`], [`connect`]), a call on its way ([`call`]), the transaction that work
//! runs in ([`transaction`]), and waiting until all threads have let go of the file ([`shutdown`]).
//!
//! **Invariant.** One thread of a process writes. Calls that wait at the same time share one
//! transaction, each in a savepoint, so a call that fails takes nobody with it. A caller either
//! takes its answer or gives the call up before it was begun; one that was begun and not waited for
//! is an error of unknown effect.
//!
//! **When a process is killed.** SQLite rolls back what was not committed; a caller was told only
//! after the commit.
//!
//! **Who writes.** Only [`writer`], by what other folders give it to run.

pub(crate) mod call;
pub(crate) mod connect;
pub(crate) mod handle;
pub(crate) mod maintenance;
pub(crate) mod reader;
pub(crate) mod shutdown;
pub(crate) mod transaction;
pub(crate) mod writer;
