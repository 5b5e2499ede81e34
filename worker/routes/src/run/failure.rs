//! Why a run of routes failed.

use std::sync::Arc;

use longshore_core::StoreError;

use crate::ConfigError;
use crate::model::route::Route;
use longshore::{BuildError, RunError};

/// Why routes could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunFailure {
    /// Something in the files, or that they name, is not as it must be.
    #[error("{}", joined(.0))]
    Config(Vec<ConfigError>),
    /// The worker cannot be built of what the files say.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The store failed in a way that waiting does not mend.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of the run panicked or ended; the rest was drained first.
    #[error("{0}")]
    Broken(String),
    /// It was asked for what cannot be.
    #[error("{0}")]
    Usage(String),
}

impl From<RunError> for RunFailure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Build(error) => Self::Build(error),
            RunError::Store(error) => Self::Store(error),
            other => Self::Broken(other.to_string()),
        }
    }
}

fn joined(errors: &[ConfigError]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A worker that cannot be built as the file wants it: where the file says so.
pub(crate) fn placed(error: BuildError, routes: &[Arc<Route>]) -> RunFailure {
    let BuildError::LeaseTooShort { queue, .. } = &error else {
        return error.into();
    };
    match routes.iter().find(|route| route.queue == *queue) {
        Some(route) => RunFailure::Config(vec![route.place.error(error.to_string())]),
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::assemble::load_text;

    #[test]
    fn a_lease_that_cannot_be_kept_is_told_with_its_route() {
        let text = "[[route]]\nname = 'r'\nfrom = { queue = 'q' }\nlease = '1s'\n\
                    [[route.step]]\nlog = { message = 'x' }\n";
        let set = load_text(text, std::path::Path::new("/")).unwrap();
        let error = BuildError::LeaseTooShort {
            queue: "q".parse().unwrap(),
            lease: Duration::from_secs(1),
            extend: Duration::from_secs(5),
            least: Duration::from_secs(15),
        };
        let failure = placed(error, &set.0.routes).to_string();
        assert!(
            failure.starts_with("r.toml:2:8: the lease of queue q is 1s"),
            "{failure}"
        );
    }
}
