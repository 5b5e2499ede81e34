//! Intakes that feed a route's own queue from files.

mod batch;
mod carry;
mod feeder;
mod feeding;
mod files;
mod held;
mod identity;
mod line_reader;
mod lines;
mod listing;
mod names;
mod open;
mod record;
mod seen;
mod status;
mod stop;

pub(crate) use carry::remembers;
pub use carry::{Carried, carry_progress};
pub(crate) use feeder::Feeder;
pub(crate) use listing::unreadable;
pub(crate) use names::queue_of;
pub(crate) use status::FeedStatus;
