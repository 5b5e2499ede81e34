//! When something is due.

use clap::Args;
use longshore::core::{Due, Timestamp};

use crate::parse::{self, Span};

/// Options of verbs that set a due time.
#[derive(Clone, Debug, Args)]
pub(crate) struct DueArgs {
    /// Due after this long
    #[arg(
        long,
        value_name = "DURATION",
        allow_hyphen_values = true,
        conflicts_with = "at"
    )]
    pub(crate) delay: Option<Span>,
    /// Due at this time
    #[arg(long, value_name = "TIME", value_parser = parse::time)]
    pub(crate) at: Option<Timestamp>,
}

impl DueArgs {
    /// After a delay, or at a time; `None` where neither is said.
    pub(crate) fn due(&self) -> Option<Due> {
        let delay = self.delay.map(|span| Due::In(span.0));
        delay.or_else(|| self.at.map(Due::At))
    }
}
