//! A named case.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::ManualClock;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::{Harness, Stage};

/// The future of a running case.
pub(crate) type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A case that takes longer hangs.
const CASE_MAX: Duration = Duration::from_secs(60);

/// One rule, tried on one fresh store.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Topic and sentence, such as `settle::a_stale_ack_changes_nothing`.
    pub name: &'static str,
    /// The number of the rule in `docs/contract.md`.
    pub rule: u8,
    /// Tries it, and panics where the store breaks the rule.
    pub(crate) run: fn(Stage) -> Running,
}

impl Case {
    /// Tries it on a fresh store of a harness, and says what is wrong.
    pub fn try_on(&self, harness: &dyn Harness) -> Result<(), String> {
        tried(CASE_MAX, async {
            let clock = Arc::new(ManualClock::default());
            let subject = harness.open(clock.clone()).await;
            (self.run)(Stage::new(subject, clock)).await;
        })
    }
}

/// Runs something that panics where it fails, and says what is wrong.
fn tried(max: Duration, run: impl Future<Output = ()>) -> Result<(), String> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async { timeout(max, run).await })
    }));
    let wrong = match ended {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(_elapsed)) => format!("it hangs: not done within {max:?}"),
        Err(panic) => said(&*panic),
    };
    // A thread that waits for a lock for ever would not let the runtime end.
    runtime.shutdown_background();
    Err(wrong)
}

/// What a panic said.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked without a word").to_owned()
}

/// The table of a topic: rule number, then the function that tries it.
macro_rules! cases {
    ($topic:literal; $($rule:literal $case:ident,)+) => {
        /// The cases of this topic.
        pub(crate) const CASES: &[crate::Case] = &[$(crate::Case {
            name: concat!($topic, "::", stringify!($case)),
            rule: $rule,
            run: |stage| Box::pin($case(stage)),
        }),+];
    };
}

pub(crate) use cases;

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    /// How long a test waits for what takes milliseconds.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Runs something beside a task that waits for a lock which nobody lets go of.
    fn beside_a_stuck_thread(run: impl Future<Output = ()> + Send + 'static) -> Result<(), String> {
        let lock = Arc::new(Mutex::new(()));
        let held = lock.lock().expect("no poison");
        let (tell, told) = mpsc::sync_channel(1);
        let waits = lock.clone();
        std::thread::spawn(move || {
            let ended = tried(Duration::from_millis(50), async move {
                tokio::spawn(async move { drop(waits.lock()) });
                run.await;
            });
            tell.send(ended)
        });
        let ended = told.recv_timeout(PATIENCE);
        drop(held);
        ended.expect("it ends although a thread does not")
    }

    #[test]
    fn a_case_whose_thread_is_stuck_is_told_and_holds_up_nobody() {
        let hung = beside_a_stuck_thread(std::future::pending()).unwrap_err();
        assert!(hung.starts_with("it hangs"), "{hung}");
        let broken = beside_a_stuck_thread(async { panic!("a rule is broken") });
        assert_eq!(broken.unwrap_err(), "a rule is broken");
    }
}
