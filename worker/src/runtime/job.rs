//! One delivery from its slot to its settlement: waiting for its turn ([`task`]), running
//! ([`execute`]), its lease kept meanwhile ([`lease_keeper`], [`running`]), and what its end means
//! ([`outcome`]).
//!
//! A delivery leaves [`running`] however its task ends: one that stayed there would be leased for
//! ever and nobody's.

pub(crate) mod execute;
pub(crate) mod group_dead;
pub(crate) mod lease_keeper;
pub(crate) mod outcome;
pub(crate) mod running;
pub(crate) mod task;
