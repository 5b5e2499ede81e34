//! Running one job to its end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

use crate::runtime::shutdown::phases::Phases;
use crate::{JobContext, Outcome, Processor};

/// How a job ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Its processor said so.
    Outcome(Outcome),
    /// It ran past its timeout.
    TimedOut,
    /// It panicked.
    Panicked(String),
    /// Its lease was lost; another process may have the message.
    LeaseLost,
    /// The drain was over.
    Interrupted,
    /// The worker exits now.
    Halted,
}

/// Runs a job until it ends, is cancelled or runs out of time. Then its future is gone.
pub(crate) async fn execute(
    processor: &dyn Processor,
    timeout: std::time::Duration,
    context: &JobContext,
    phases: &Phases,
) -> Ended {
    let called = catch_unwind(AssertUnwindSafe(|| processor.process(context.clone())));
    let future = match called {
        Ok(future) => future,
        Err(panic) => return Ended::Panicked(panic_text(&*panic)),
    };
    let mut work = AssertUnwindSafe(future).catch_unwind();
    let ended = tokio::select! {
        biased;
        result = &mut work => match result {
            Ok(outcome) => Ended::Outcome(outcome),
            Err(panic) => Ended::Panicked(panic_text(&*panic)),
        },
        () = context.cancel.cancelled() => why_cancelled(context, phases),
        () = tokio::time::sleep(timeout) => {
            context.cancel.cancel();
            Ended::TimedOut
        }
    };
    // What a future does when it is dropped may panic, too.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(work))) {
        let text = panic_text(&*panic);
        tracing::warn!(id = %context.delivery.message.id, %text, "a job panicked while it was dropped");
    }
    ended
}

fn why_cancelled(context: &JobContext, phases: &Phases) -> Ended {
    if phases.halt.is_cancelled() {
        Ended::Halted
    } else if context.lease_lost() {
        Ended::LeaseLost
    } else if phases.interrupt.is_cancelled() {
        Ended::Interrupted
    } else {
        // The handler cancelled itself through its own clone of the token.
        Ended::Outcome(Outcome::Failed(longshore_core::Failure::retryable(
            "the job cancelled itself",
        )))
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "the job panicked with a value that is no text".to_owned()
    }
}
