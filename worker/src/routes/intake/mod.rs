//! Intakes that feed a route's own queue from files.

mod batch;
mod feeder;
mod feeding;
mod files;
mod held;
mod identity;
mod line_reader;
mod lines;
mod listing;
mod open;
mod record;
mod seen;
mod status;
mod stop;

pub(super) use feeder::Feeder;
pub(super) use listing::unreadable;
pub(super) use status::FeedStatus;
