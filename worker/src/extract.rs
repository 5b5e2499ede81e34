//! What a handler may ask for beside its job, checked at compile time.

mod cancel;
mod checkpoint;
mod child;
mod lease;
mod message;
mod state;

use longshore_core::Failure;

use crate::JobContext;

pub use cancel::Cancel;
pub use checkpoint::Checkpoint;
pub use child::Enqueue;
pub use lease::Lease;
pub use message::{Attempt, EnqueuedAt, Group, Raw};
pub use state::{FromRef, State};

/// Something a handler may ask for as an argument after its job.
///
/// An error fails the attempt without running the handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler with state `{S}`",
    note = "after the job come `State<T>`, `Attempt`, `MessageId`, `Headers`, `Group`, `EnqueuedAt`, `Lease`, `Cancel`, `Checkpoint`, `Enqueue`, `Raw` or `JobContext`",
    note = "for `State<T>` the state given to `with_state` must be `T` or implement `FromRef` for it"
)]
pub trait FromJob<S>: Sized + Send {
    /// Takes it from the job being worked.
    fn from_job(job: &JobContext, state: &S) -> Result<Self, Failure>;
}

impl<S> FromJob<S> for JobContext {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(job.clone())
    }
}
