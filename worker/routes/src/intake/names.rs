//! Under which leases an intake is fed, and where its progress is.
//!
//! An intake of files that all hosts share has one lease, `intake:ROUTE`. One of files that each
//! host has for itself has a lease for each host, `intake:ROUTE:HOST`; which hosts those are is
//! kept as progress under the first name, for the move that carries the progress to another store.

use longshore_core::{Label, LeaseName, QueueName, RouteName};

/// What stands before the name of a host among the keys of an intake.
const HOST: &str = "host:";

/// What stands before the name of a route in that of its own queue.
const ROUTE: &str = "route.";

/// The queue that the files of a route feed.
pub(crate) fn queue_of(route: &str) -> Result<QueueName, longshore_core::NameError> {
    QueueName::new(format!("{ROUTE}{route}"))
}

/// The route whose own queue this is.
pub(super) fn route_of(queue: &QueueName) -> Option<RouteName> {
    RouteName::new(queue.as_str().strip_prefix(ROUTE)?).ok()
}

/// The lease of an intake that all hosts share, and the list of hosts of one that they do not.
pub(super) fn shared(route: &RouteName) -> Option<LeaseName> {
    LeaseName::new(format!("intake:{route}")).ok()
}

/// The lease of the intake of one host.
pub(super) fn of_host(route: &RouteName, host: &Label) -> Option<LeaseName> {
    LeaseName::new(format!("intake:{route}:{host}")).ok()
}

/// The host that a scope names; `None` of files that all hosts share.
pub(super) fn host_of(scope: &str) -> Option<Label> {
    scope.strip_prefix(HOST).map(Label::lossy)
}

/// The key under which a host is listed.
pub(super) fn key_of_host(host: &Label) -> String {
    format!("{HOST}{host}")
}

/// The host that a key lists; `None` of a key that is a file's.
pub(super) fn host_of_key(key: &str) -> Option<Label> {
    host_of(key)
}
