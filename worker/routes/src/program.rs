//! Running an ordinary program for a message: its body on stdin, its exit code as the answer.
//!
//! Steps of routes and the command line's `receive QUEUE -- PROGRAM` run programs through here,
//! so that all of them keep the same rules. The program leads a process group of its own. Its
//! body is a file in memory, so that it is there as a whole however this process ends. Its exit
//! decides: what it started and left behind is not waited for.

mod body;
mod ended;
mod group;
mod pipes;
mod run;

pub use ended::{Ended, How};
pub use run::{OnPiece, Output, Plan, run};
