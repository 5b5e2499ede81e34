//! The admin port of a worker: metrics and health.

mod described;
mod gauges;
mod health;
mod recorder;
mod server;

pub(crate) use gauges::report_queues;
pub(crate) use health::Health;
pub(crate) use recorder::Metrics;
pub(crate) use server::{bind, serve};
