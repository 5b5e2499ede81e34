//! The whole command line.

use clap::Parser;

use super::{GlobalArgs, Verb};

const AFTER: &str = "\
Examples:
  longshore enqueue images '{\"width\":640}' --kind resize
  longshore receive images -- convert - thumb.png
  longshore dead list images

Settings: option > environment (LONGSHORE_STORE, LONGSHORE_STORE_FILE, LONGSHORE_CONFIG, LONGSHORE_LOG) > file > default.

Exit codes:
  0 done             3 nothing matched         69 store unavailable    77 no permission
  1 failed           4 partial: some refused   70 stored data damaged  78 bad configuration
  2 wrong usage      5 a check found problems  75 try again            128+N by signal N";

/// A distributed work queue over stores that people already run.
#[derive(Debug, Parser)]
#[command(
    name = "longshore",
    version,
    after_help = AFTER,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// What all verbs take.
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}
