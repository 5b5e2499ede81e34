//! `cancel`, `purge`, `delete`, `move`, `pause` and `resume`.

use clap::Args;
use longshore::core::{MessageId, QueueName};

use super::DueArgs;
use crate::parse;
use crate::where_filter::Condition;

/// Options of `cancel`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore cancel images 018f3c7a-5b2e-7d11-9a3b-0123456789ab\n  \
                  longshore cancel images --where kind=resize --dry-run\n  \
                  longshore cancel images --where 'first_enqueued_at<2h' --yes\n\n\
                  Conditions are those of `dead list`. Leased messages are left alone."
)]
pub(crate) struct CancelArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// The messages
    #[arg(required_unless_present = "conditions", value_parser = parse::message_id)]
    pub(crate) id: Vec<MessageId>,
    /// All that match instead; may be given several times, all must match
    #[arg(
        long = "where",
        value_name = "FIELD(=|~|<|>)VALUE",
        conflicts_with = "id"
    )]
    pub(crate) conditions: Vec<Condition>,
    /// Only count what would go
    #[arg(long, requires = "conditions")]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long, requires = "conditions")]
    pub(crate) yes: bool,
}

/// Options of `reschedule`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                  longshore reschedule images 018f3c7a-5b2e-7d11-9a3b-0123456789ab --delay 0s\n  \
                  longshore reschedule images 018f3c7a-5b2e-7d11-9a3b-0123456789ab --at 2026-12-24T18:00:00Z")]
pub(crate) struct RescheduleArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// The messages
    #[arg(required = true, value_parser = parse::message_id)]
    pub(crate) id: Vec<MessageId>,
    #[command(flatten)]
    pub(crate) due: DueArgs,
}

/// Options of `purge`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore purge images --dry-run\n  longshore purge images --yes\n\n\
                        Leased messages and dead letters stay."
)]
pub(crate) struct PurgeArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// Only count what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Options of `delete`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  longshore delete images\n\n\
                        Only a queue in which nothing is, dead letters included. Its settings and its pause go;\n\
                        it exists again as soon as it is used.")]
pub(crate) struct DeleteArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
}

/// Options of `move`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore move images images.old --yes\n  \
                        longshore move images images --to-store sqlite:///srv/new.db --yes\n\n\
                        Ids, groups, attempts and history are kept, dead letters go too. Nothing is handed \
                        out\nof FROM meanwhile; leased messages follow when they come back.")]
pub(crate) struct MoveArgs {
    /// The queue to empty
    #[arg(value_parser = parse::queue)]
    pub(crate) from: QueueName,
    /// The queue to fill
    #[arg(value_parser = parse::queue)]
    pub(crate) to: QueueName,
    /// The store of TO, if it is another
    #[arg(long, value_name = "URL")]
    pub(crate) to_store: Option<String>,
    /// Only count what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Options of `pause`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  longshore pause images --reason 'disk of the resizer is full'")]
pub(crate) struct PauseArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// Why; shown to everyone
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
    /// Also a queue that nobody has used yet
    #[arg(long)]
    pub(crate) create: bool,
}

/// Options of `resume`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore resume images\n  longshore resume images --moving\n\n\
                        With --moving it lifts the mark of a move that was broken off."
)]
pub(crate) struct ResumeArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// Lift the mark of a move that was broken off, too
    #[arg(long)]
    pub(crate) moving: bool,
}
