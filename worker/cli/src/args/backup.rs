//! `backup`.

use std::path::PathBuf;

use clap::Args;

/// Options of `backup`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  longshore backup /srv/backup/queue-2026-11-29.db\n\n\
                  Workers and producers go on meanwhile. SQLite only: copy a Redis server by its own BGSAVE,\n\
                  and Cassandra by snapshots of its nodes."
)]
pub(crate) struct BackupArgs {
    /// The file to write, which must not be there
    pub(crate) file: PathBuf,
}
