//! `doctor`.

use clap::Args;

/// Options of `doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore doctor --store sqlite:///var/lib/longshore/queue.db\n  \
                  longshore doctor --strict --json\n\n\
                  Ends with 5 where there is a problem, with --strict also where there is a warning: dead \
                  letters,\na queue that nobody works, a pause."
)]
pub(crate) struct DoctorArgs {
    /// End with 5 also where there is nothing worse than a warning
    #[arg(long)]
    pub(crate) strict: bool,
}
