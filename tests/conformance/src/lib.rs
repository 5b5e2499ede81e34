//! What every longshore store must do, as named cases that each store runs.
//!
//! A store joins with a test file of about 40 lines that implements [`Harness`] and calls
//! [`main`]. The cases know no store: they speak to the traits of the core, move a clock by
//! hand, and wait for signals instead of sleeping.

pub mod broken;
mod case;
mod cases;
mod collecting;
#[cfg(test)]
mod crossings;
mod draft;
mod faults;
mod harness;
mod operating;
mod properties;
mod runner;
mod same_time;
mod settling;
mod stage;
mod wait;

pub use case::Case;
pub use cases::cases;
pub use faults::{Call, Fault, FaultControl, FaultStore, Gate};
pub use harness::{Harness, Missing, Subject};
pub use runner::main;
pub use same_time::same_time;
pub use stage::Stage;
pub use wait::{until, until_some};
