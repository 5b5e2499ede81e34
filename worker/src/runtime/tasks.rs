//! The tasks of a running worker, none of which may end unseen.

use std::future::Future;

use longshore_core::Result;
use tokio::task::{JoinError, JoinSet};

use crate::worker::RunError;

/// The tasks of one worker. They end by themselves only in a drain.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    /// The fetch loops.
    pub(crate) fetchers: JoinSet<Result<()>>,
    /// The settlers.
    pub(crate) settlers: JoinSet<()>,
    /// What keeps the worker alive beside them: leases, announcements, gauges.
    keepers: JoinSet<()>,
}

impl Tasks {
    /// Starts a task that never returns.
    pub(crate) fn keep(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.keepers.spawn(task);
    }

    /// Waits for the first task that ends although nobody told it to, and says why. Pending while
    /// all is well. Dropping the future loses nothing.
    pub(crate) async fn first_to_fail(&mut self) -> RunError {
        loop {
            tokio::select! {
                Some(ended) = self.fetchers.join_next() => match ended {
                    // Its queue is not received from any more: only a drain ends it so.
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return error.into(),
                    Err(error) => return broken("receives", &error),
                },
                Some(ended) = self.settlers.join_next() => {
                    return ended.map_or_else(|error| broken("settles", &error), |()| over("settles"));
                }
                Some(ended) = self.keepers.join_next() => {
                    return ended.map_or_else(|error| broken("keeps leases and announces", &error), |()| over("keeps leases and announces"));
                }
                else => std::future::pending().await,
            }
        }
    }

    /// Waits until every fetch loop has ended; the first that failed is told.
    pub(crate) async fn fetched(&mut self) -> Option<RunError> {
        let mut failed = None;
        while let Some(ended) = self.fetchers.join_next().await {
            if let Err(error) = ended {
                failed.get_or_insert(broken("receives", &error));
            }
        }
        failed
    }

    /// Waits until every settler has ended; the first that failed is told.
    pub(crate) async fn settled(&mut self) -> Option<RunError> {
        let mut failed = None;
        while let Some(ended) = self.settlers.join_next().await {
            if let Err(error) = ended {
                failed.get_or_insert(broken("settles", &error));
            }
        }
        failed
    }

    /// Ends the tasks that never return; one that failed meanwhile is told.
    pub(crate) async fn dismiss_keepers(&mut self) -> Option<RunError> {
        self.keepers.abort_all();
        let mut failed = None;
        while let Some(ended) = self.keepers.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                failed.get_or_insert(broken("keeps leases and announces", &error));
            }
        }
        failed
    }
}

fn broken(part: &'static str, error: &JoinError) -> RunError {
    RunError::Broken {
        part,
        why: error.to_string(),
    }
}

fn over(part: &'static str) -> RunError {
    RunError::Broken {
        part,
        why: "it ended without being told to".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken_part(failed: Option<RunError>) -> &'static str {
        match failed {
            Some(RunError::Broken { part, .. }) => part,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_part_that_breaks_while_the_run_ends_is_told() {
        let mut tasks = Tasks::default();
        tasks.fetchers.spawn(async { panic!("a fetcher") });
        tasks.settlers.spawn(async { panic!("a settler") });
        tasks.keep(async { panic!("a keeper") });
        tasks.keep(std::future::pending());
        tokio::task::yield_now().await;
        assert_eq!(broken_part(tasks.fetched().await), "receives");
        assert_eq!(broken_part(tasks.settled().await), "settles");
        let dismissed = tasks.dismiss_keepers().await;
        assert_eq!(broken_part(dismissed), "keeps leases and announces");
    }

    #[tokio::test]
    async fn a_run_that_ends_as_it_should_tells_nothing() {
        let mut tasks = Tasks::default();
        tasks.fetchers.spawn(async { Ok(()) });
        tasks.settlers.spawn(async {});
        tasks.keep(std::future::pending());
        assert!(tasks.fetched().await.is_none());
        assert!(tasks.settled().await.is_none());
        assert!(tasks.dismiss_keepers().await.is_none());
    }
}
