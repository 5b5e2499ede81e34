//! Templates in route files: strict, bounded, compiled when the file is loaded.

mod compile;
mod data;
mod flavour;
mod names;

pub(crate) use compile::{Template, failure, has_placeholder};
pub(crate) use data::Data;
pub(crate) use flavour::Flavour;
