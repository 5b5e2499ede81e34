//! What every verb takes.

use std::path::PathBuf;

use clap::Args;

/// Options of all verbs.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct GlobalArgs {
    /// The store.
    #[arg(
        long,
        value_name = "URL",
        global = true,
        help = "The store [env: LONGSHORE_STORE, or LONGSHORE_STORE_FILE, which holds it] [default: sqlite://./longshore.db]"
    )]
    pub(crate) store: Option<String>,
    /// A route file whose `[store]` section names the store.
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        help = "A route file whose [store] section names the store [env: LONGSHORE_CONFIG]"
    )]
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
