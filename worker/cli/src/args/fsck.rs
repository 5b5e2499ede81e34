//! `fsck`.

use clap::Args;
use longshore::core::QueueName;

use crate::parse;

/// Options of `fsck`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore fsck --store cassandra://db1,db2/longshore\n  \
                        longshore fsck images --repair"
)]
pub(crate) struct FsckArgs {
    /// Only this queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: Option<QueueName>,
    /// Mend what can be mended without a doubt
    #[arg(long)]
    pub(crate) repair: bool,
}
