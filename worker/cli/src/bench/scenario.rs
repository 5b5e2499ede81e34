//! What can be measured, one file each.

mod aggregate;
mod callers;
mod drain;
mod end_to_end;
mod flat;
mod idle;
mod lifecycle;
mod memory;
mod pickup;
mod space;
mod steady;

pub(crate) use aggregate::aggregate;
pub(crate) use callers::callers;
pub(crate) use drain::drain;
pub(crate) use flat::flat;
pub(crate) use idle::idle;
pub(crate) use lifecycle::lifecycle;
pub(crate) use memory::memory;
pub(crate) use pickup::pickup;
pub(crate) use space::space;
pub(crate) use steady::steady;
