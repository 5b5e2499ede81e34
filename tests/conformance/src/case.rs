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
    /// Whether it is about aggregates, which not every store keeps.
    pub(crate) fn is_of_aggregates(&self) -> bool {
        self.name.starts_with("aggregate_")
    }

    /// Tries it on a fresh store of a harness, and says what is wrong.
    pub fn try_on(&self, harness: &dyn Harness) -> Result<(), String> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let tried = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let clock = Arc::new(ManualClock::default());
                let subject = harness.open(clock.clone()).await;
                timeout(CASE_MAX, (self.run)(Stage::new(subject, clock))).await
            })
        }));
        match tried {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_elapsed)) => {
                // A thread that waits for a lock for ever would not let the runtime end.
                runtime.shutdown_background();
                Err(format!("it hangs: not done within {CASE_MAX:?}"))
            }
            Err(panic) => Err(said(&*panic)),
        }
    }
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
