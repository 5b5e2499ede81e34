//! `queues`, `peek` and `show`.

use std::num::NonZeroU32;

use clap::Args;
use longshore::core::{MessageId, QueueName};

use crate::parse::{self, Wait};
use crate::where_filter::Condition;

/// Options of `queues`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore queues\n  longshore queues images --json\n  \
                        longshore queues --over 5s\n  \
                        longshore queues images --watch\n  longshore queues --watch=10s --json"
)]
pub(crate) struct QueuesArgs {
    /// Only this queue, with its settings
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: Option<QueueName>,
    /// Watch for this long and show how the numbers change
    #[arg(
        long,
        value_name = "DURATION",
        conflicts_with = "json",
        allow_hyphen_values = true
    )]
    pub(crate) over: Option<Wait>,
    /// Show them again and again, this far apart
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2s",
        conflicts_with = "over",
        allow_hyphen_values = true
    )]
    pub(crate) watch: Option<Wait>,
}

/// Options of `peek`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore peek images\n  longshore peek images --limit 1 --json\n  \
                  longshore peek images --where group=ada"
)]
pub(crate) struct PeekArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// At most this many
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse::count::<NonZeroU32>, default_value = "10")]
    pub(crate) limit: NonZeroU32,
    /// Go on behind this cursor, which an earlier page printed
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
    /// Only those that match; may be given several times, all must match
    #[arg(long = "where", value_name = "FIELD(=|~|<|>)VALUE")]
    pub(crate) conditions: Vec<Condition>,
}

/// Options of `show`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  longshore show images 018f3c7a-5b2e-7d11-9a3b-0123456789ab")]
pub(crate) struct ShowArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// The message
    #[arg(value_parser = parse::message_id)]
    pub(crate) id: MessageId,
}
