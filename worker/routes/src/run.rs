//! Running routes: a run that is put together, waited for, watched and stopped; and the work on one
//! message by the steps of its route.

pub(crate) mod checkpoint;
pub(crate) mod control;
pub(crate) mod failure;
pub(crate) mod idle;
pub(crate) mod processor;
pub(crate) mod progress;
pub(crate) mod ready;
pub(crate) mod runner;
