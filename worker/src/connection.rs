//! An open store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Backend, Clock, OpenOptions, StoreUrl};

use crate::clock::SystemClock;

/// An open store. Cloning is cheap and shares the store's connections.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    url: Arc<StoreUrl>,
    backend: Backend,
    clock: Arc<dyn Clock>,
    call_timeout: Duration,
}

impl Connection {
    /// A connection over a backend that is open already, such as one behind a wrapper.
    pub fn of(url: impl Into<Arc<StoreUrl>>, backend: Backend, options: &OpenOptions) -> Self {
        Self(Arc::new(Inner {
            url: url.into(),
            backend,
            clock: options
                .clock
                .clone()
                .unwrap_or_else(|| Arc::new(SystemClock)),
            call_timeout: options.call_timeout,
        }))
    }

    /// The URL of the store; printing it shows no password.
    pub fn url(&self) -> &StoreUrl {
        &self.0.url
    }

    /// The handles of the store.
    pub fn backend(&self) -> &Backend {
        &self.0.backend
    }

    /// The clock that was handed in, else this host's.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Whether both are the same open store.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How long one call of the store may take.
    pub fn call_timeout(&self) -> Duration {
        self.0.call_timeout
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.0.url)
    }
}
