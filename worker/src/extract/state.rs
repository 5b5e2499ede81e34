//! The program's own state.

use longshore_core::Failure;

use super::FromJob;
use crate::JobContext;

/// The state given to `with_state`, or a part of it.
#[derive(Clone, Copy, Debug)]
pub struct State<T>(pub T);

/// A part that can be taken from the state `S`.
#[diagnostic::on_unimplemented(
    message = "the worker's state `{S}` does not give a `{Self}`",
    note = "pass a `{Self}` to `with_state`, or implement `FromRef<{S}>` for it"
)]
pub trait FromRef<S> {
    /// Takes the part.
    fn from_ref(state: &S) -> Self;
}

impl<S: Clone> FromRef<S> for S {
    fn from_ref(state: &S) -> Self {
        state.clone()
    }
}

impl<S, T: FromRef<S> + Send> FromJob<S> for State<T> {
    fn from_job(_job: &JobContext, state: &S) -> Result<Self, Failure> {
        Ok(Self(T::from_ref(state)))
    }
}
