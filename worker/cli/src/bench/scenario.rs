//! What can be measured, one file each.

mod callers;
mod end_to_end;
mod flat;
mod lifecycle;
mod memory;
mod pickup;

pub(crate) use callers::callers;
pub(crate) use flat::flat;
pub(crate) use lifecycle::lifecycle;
pub(crate) use memory::memory;
pub(crate) use pickup::pickup;
