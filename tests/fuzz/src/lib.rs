//! Feeds the parsers of longshore with what nobody would write.
//!
//! A parser of foreign input is a function of bytes that must end, soon, without a panic. Here it
//! gets its samples, broken in every way that is known to break parsers. It says in words how it
//! took each input; an input that it took in a new way is kept and broken further, so that the
//! search goes where the parser has something to decide.
//!
//! In the test run each parser gets a few thousand inputs, always the same ones.
//! `./tests/run fuzz` searches for ten minutes each and keeps what it found in `corpus/`.

mod corpus;
mod feed;
mod mutate;

pub use feed::fuzz;
