//! Templates in route files: strict, bounded, compiled when the file is loaded.

mod compile;
mod data;
mod flavour;
mod names;

pub(super) use compile::{Template, failure, has_placeholder};
pub(super) use data::Data;
pub(super) use flavour::Flavour;
