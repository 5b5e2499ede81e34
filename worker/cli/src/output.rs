//! What the binary prints: data on stdout, everything else on stderr.

pub(crate) mod escape;
mod json;
pub(crate) mod sink;
mod stderr;
mod stdout;
mod table;
mod words;

pub(crate) use stderr::{complain, note};
pub(crate) use stdout::Stdout;
pub(crate) use table::Table;
pub(crate) use words::{age, body_preview, counted};
