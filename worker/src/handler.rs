//! Typed handlers: plain functions whose first argument is the job.

mod blocking;
mod call;
mod layered;
mod raw;
mod typed;

pub use call::{BlockingHandler, Handler};
pub use layered::HandlerService;

pub(crate) use blocking::BlockingProcessor;
pub(crate) use layered::layered;
pub(crate) use raw::RawProcessor;
pub(crate) use typed::TypedProcessor;
