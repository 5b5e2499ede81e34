//! What operators do with a cluster, and what they get wrong, on real nodes.
//!
//! The cluster is named by `LONGSHORE_TEST_CASSANDRA`; `tests/run` starts one and sets it.

#[path = "operators/copies.rs"]
mod copies;
#[path = "operators/fsck.rs"]
mod fsck;
#[path = "operators/handed_over.rs"]
mod handed_over;
#[path = "operators/opening.rs"]
mod opening;
#[path = "operators/retired.rs"]
mod retired;
#[path = "operators/stage.rs"]
mod stage;
#[path = "operators/still.rs"]
mod still;
#[path = "operators/strays.rs"]
mod strays;
#[path = "operators/tables.rs"]
mod tables;
#[path = "operators/together.rs"]
mod together;
