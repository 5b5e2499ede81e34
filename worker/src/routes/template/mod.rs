//! Templates in route files: strict, bounded, compiled when the file is loaded.

mod compile;
mod data;
mod flavour;
mod interpreter;
mod names;
mod options;
mod programs;
mod script;

pub(super) use compile::{Template, failure, has_placeholder};
pub(super) use data::Data;
pub(super) use flavour::Flavour;
pub(super) use script::{is_runner, templated_script};
