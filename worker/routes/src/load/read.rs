//! Reading a route file: from bytes to a checked tree in which every value knows its place.

pub(crate) mod check;
pub(crate) mod document;
pub(crate) mod keys;
pub(crate) mod node;
pub(crate) mod scalar;
pub(crate) mod shape;
pub(crate) mod strays;
pub(crate) mod values;
pub(crate) mod variables;

pub(crate) use check::read;
pub(crate) use document::{Document, Mark, plain};
pub(crate) use keys::ROUTE_FILE;
pub(crate) use node::Node;
pub(crate) use shape::{Key, Shape, TableShape};
pub(crate) use values::{shown, shown_roughly, shown_span};
pub(crate) use variables::Lookup;
