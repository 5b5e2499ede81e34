//! What every verb takes.

use std::path::PathBuf;

use clap::Args;

/// Options of all verbs.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct GlobalArgs {
    /// The store, such as sqlite://./longshore.db [environment: `LONGSHORE_STORE`]
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) store: Option<String>,
    /// A route file whose [store] section names the store [environment: `LONGSHORE_CONFIG`]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// More on stderr; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}
