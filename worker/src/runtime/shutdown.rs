//! The end of a run: its phases ([`phases`]) and the drain ([`drain`]).

pub(crate) mod drain;
pub(crate) mod phases;
