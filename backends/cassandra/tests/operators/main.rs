//! What operators do with a cluster, and what they get wrong, on real nodes.
//!
//! The cluster is named by `LONGSHORE_TEST_CASSANDRA`; `tests/run` starts one and sets it.

mod copies;
mod fsck;
mod handed_over;
mod opening;
mod retired;
mod stage;
mod still;
mod strays;
mod tables;
mod together;
