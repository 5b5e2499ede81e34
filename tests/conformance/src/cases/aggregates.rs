//! Aggregates: parts come in, epochs close, go out once, and are remembered.

pub(super) mod closing;
pub(super) mod late;
pub(super) mod lists;
pub(super) mod parts;
pub(super) mod predicates;
pub(super) mod races;
pub(super) mod releasing;
