//! What others see of a worker: counts, metrics, gauges, and its entry in the store.

pub(crate) mod announce;
pub(crate) mod counters;
pub(crate) mod gauges;
pub(crate) mod meters;
