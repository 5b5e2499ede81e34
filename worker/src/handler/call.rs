//! Functions that can be handlers.

use std::future::Future;

use longshore_core::{Failure, Job};

use crate::extract::FromJob;
use crate::{IntoOutcome, JobContext, Outcome};

/// An async function that works jobs of one type: the job comes first, then up to eight of what
/// [`FromJob`] gives. `A` are its arguments, `S` is the worker's state.
///
/// What it asks for is checked at compile time. This worker has no state to give:
///
/// ```compile_fail,E0277
/// # use longshore::prelude::*;
/// # #[derive(Serialize, Deserialize)] struct Ping;
/// # impl Job for Ping { const KIND: &'static str = "ping"; }
/// async fn ping(_: Ping, State(_): State<String>) {}
/// # async fn run(connection: Connection) {
/// let worker = Worker::builder(connection).queue("q", |q| q.handle(ping));
/// # let _ = worker; }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job handler for state `{S}`",
    label = "not a handler",
    note = "a handler is `async fn(job: J, …) -> Result<(), Failure>` where `J: Job` comes first and up to eight extractors follow",
    note = "`State<T>` needs `with_state` before `queue`; look at each argument's type"
)]
pub trait Handler<A, S>: Clone + Send + Sync + 'static {
    /// The type of job; it names the kind.
    type Job: Job;

    /// Decodes the job, gathers the arguments and runs the function.
    fn call(self, job: JobContext, state: &S) -> impl Future<Output = Outcome> + Send;
}

/// A function that works jobs of one type and blocks its thread. Arguments are those of
/// [`Handler`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a blocking job handler for state `{S}`",
    label = "not a blocking handler",
    note = "a blocking handler is `fn(job: J, …) -> Result<(), Failure>` where `J: Job` comes first and up to eight extractors follow"
)]
pub trait BlockingHandler<A, S>: Clone + Send + Sync + 'static {
    /// The type of job; it names the kind.
    type Job: Job;

    /// Decodes the job, gathers the arguments and runs the function.
    fn call(self, job: &JobContext, state: &S) -> Outcome;
}

fn decode<J: Job>(job: &JobContext) -> Result<J, Failure> {
    serde_json::from_slice(&job.delivery.message.body).map_err(|error| {
        Failure::decode(format!(
            "the body is not a job of kind {}: {error}",
            job.delivery.message.kind
        ))
    })
}

/// The job and the arguments as a tuple, or the first failure.
macro_rules! arguments {
    ($job:expr, $state:expr, $($argument:ident)*) => {
        (|| -> Result<_, Failure> {
            let context: &JobContext = &$job;
            let _ = &$state;
            Ok((decode::<J>(context)?, $(<$argument as FromJob<S>>::from_job(context, $state)?,)*))
        })()
    };
}

macro_rules! handlers {
    ($($argument:ident $value:ident)*) => {
        impl<F, Fut, J, S, $($argument,)*> Handler<(J, $($argument,)*), S> for F
        where
            F: Fn(J, $($argument),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future + Send,
            Fut::Output: IntoOutcome,
            J: Job,
            S: Sync,
            $($argument: FromJob<S>,)*
        {
            type Job = J;

            async fn call(self, job: JobContext, state: &S) -> Outcome {
                let future = match arguments!(job, state, $($argument)*) {
                    Ok((decoded, $($value,)*)) => self(decoded, $($value),*),
                    Err(failure) => return Outcome::Failed(failure),
                };
                future.await.into_outcome()
            }
        }

        impl<F, R, J, S, $($argument,)*> BlockingHandler<(J, $($argument,)*), S> for F
        where
            F: Fn(J, $($argument),*) -> R + Clone + Send + Sync + 'static,
            R: IntoOutcome,
            J: Job,
            $($argument: FromJob<S>,)*
        {
            type Job = J;

            fn call(self, job: &JobContext, state: &S) -> Outcome {
                match arguments!(job, state, $($argument)*) {
                    Ok((decoded, $($value,)*)) => self(decoded, $($value),*).into_outcome(),
                    Err(failure) => Outcome::Failed(failure),
                }
            }
        }
    };
}

handlers!();
handlers!(A1 a1);
handlers!(A1 a1 A2 a2);
handlers!(A1 a1 A2 a2 A3 a3);
handlers!(A1 a1 A2 a2 A3 a3 A4 a4);
handlers!(A1 a1 A2 a2 A3 a3 A4 a4 A5 a5);
handlers!(A1 a1 A2 a2 A3 a3 A4 a4 A5 a5 A6 a6);
handlers!(A1 a1 A2 a2 A3 a3 A4 a4 A5 a5 A6 a6 A7 a7);
handlers!(A1 a1 A2 a2 A3 a3 A4 a4 A5 a5 A6 a6 A7 a7 A8 a8);
