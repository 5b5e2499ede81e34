//! From the bytes of a route file to routes: read into a tree in which each value knows its place,
//! then put together, with every mistake told at its line.

pub(crate) mod assemble;
pub(crate) mod read;
