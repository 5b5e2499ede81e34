//! Reading a route file: from bytes to a checked tree in which every value knows its place.

mod check;
mod document;
mod keys;
mod node;
mod shape;
mod strays;
mod values;
mod variables;

pub(super) use check::read;
pub(super) use document::{Document, Mark, plain};
pub(super) use keys::ROUTE_FILE;
pub(super) use node::Node;
pub(super) use shape::{Key, Shape, TableShape};
pub(super) use values::{shown, shown_roughly, shown_span};
pub(super) use variables::Lookup;
