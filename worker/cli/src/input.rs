//! What verbs read: bodies and lines from the command line, from files and from stdin.

mod feed;
mod json_value;
mod lines;
mod source;

pub(crate) use feed::read;
pub(crate) use json_value::{key, reworded, text};
pub(crate) use lines::Line;
pub(crate) use source::{Input, Reader, read_all, unreadable};
