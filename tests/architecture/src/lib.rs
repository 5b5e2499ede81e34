//! Reads this repository the way its rules look at it: as a graph of crates, as source files, as
//! files for machines that run longshore. The rules are the tests beside it.

mod compose;
mod crates;
mod docs;
mod lines;
mod modules;
mod paths_named;
mod sources;
mod unit_file;

pub use compose::Compose;
pub use crates::{Crates, Needs, tree};
pub use docs::{Link, links, paths};
pub use lines::{logic_lines, without_comments, without_tests};
pub use modules::Modules;
pub use paths_named::{Named, paths_named};
pub use sources::{Source, root, rust_sources, text_files};
pub use unit_file::{UnitFile, seconds};
