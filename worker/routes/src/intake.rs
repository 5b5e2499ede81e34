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

pub(super) use carry::remembers;
pub use carry::{Carried, carry_progress};
pub(super) use feeder::Feeder;
pub(super) use listing::unreadable;
pub(super) use names::queue_of;
pub(super) use status::FeedStatus;
