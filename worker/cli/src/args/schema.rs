//! `schema` and `completions`.

use clap::{Args, Subcommand};
use clap_complete::Shell;

const AFTER: &str = "\
Examples:
  longshore schema > routes.schema.json
  longshore schema ddl --store sqlite://./longshore.db
  longshore schema apply --store sqlite:///var/lib/longshore/queue.db";

const APPLY_AFTER: &str = "\
Examples:
  longshore schema apply --store sqlite:///srv/queue.db
  longshore schema apply --dc eu1=3,us1=3 --store cassandra://h1,h2/longshore?dc=eu1";

/// Options of `schema`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct SchemaArgs {
    /// What to do; without it the JSON Schema of route files is printed
    #[command(subcommand)]
    pub(crate) verb: Option<SchemaVerb>,
}

/// What to do with a schema.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaVerb {
    /// Print the schema of the store, as text for its own shell
    #[command(after_help = "Example:\n  longshore schema ddl --store sqlite://./longshore.db")]
    Ddl,
    /// Create the store, or bring its schema up to date
    #[command(after_help = APPLY_AFTER)]
    Apply {
        /// Cassandra: copies in each data centre, where the keyspace is created: dc1=3,dc2=3
        #[arg(long, value_name = "NAME=COPIES,…")]
        dc: Option<String>,
    },
}

/// Options of `completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  longshore completions bash > ~/.local/share/bash-completion/completions/longshore"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}
