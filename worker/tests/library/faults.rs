//! A store behind planned faults, as a connection.

use std::time::Duration;

use longshore::core::StoreErrorKind;
use longshore::{Connection, OpenOptions};
use longshore_conformance::{Fault, FaultControl, FaultStore};

/// The store is away; nothing happens.
pub(crate) const AWAY: Fault = Fault::Refuse(StoreErrorKind::Unavailable);
/// The call has its effect, its answer is lost.
pub(crate) const ANSWER_LOST: Fault = Fault::LoseAnswer(StoreErrorKind::Timeout);
/// Refused for good.
pub(crate) const REFUSED: Fault = Fault::Refuse(StoreErrorKind::Unexpected);

/// The same store behind faults.
pub(crate) fn behind_faults(connection: &Connection) -> (Connection, FaultControl) {
    let (backend, faults) = FaultStore::wrap(connection.backend().clone());
    let mut options = OpenOptions::default();
    options.clock = Some(connection.clock().clone());
    options.call_timeout = Duration::from_secs(1);
    let connection = Connection::of(connection.url().clone(), backend, &options);
    (connection, faults)
}
