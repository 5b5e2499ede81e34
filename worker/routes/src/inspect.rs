//! Looking at routes without running them: what becomes of a failure, the graph, the schema, and
//! what is worth a warning.

pub(crate) mod explain;
pub(crate) mod findings;
pub(crate) mod graph;
pub(crate) mod schema;
