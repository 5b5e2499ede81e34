//! One delivery being worked, and the seam where work is plugged in.

mod checkpoint_slot;
mod context;
mod forward;
mod hold;
mod outcome;
mod processor;
mod state;

pub use checkpoint_slot::CheckpointSlot;
pub use context::JobContext;
pub use hold::Hold;
pub use outcome::{IntoOutcome, Outcome};
pub use processor::{Processor, ProcessorOptions};
pub(crate) use state::{JobState, lock};
