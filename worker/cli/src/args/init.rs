//! `init`.

use std::path::PathBuf;

use clap::Args;

/// Options of `init`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore init\n  longshore init routes/mail.toml\n\n\
                  Writes a commented route file that runs as it stands. A file that is there is left alone."
)]
pub(crate) struct InitArgs {
    /// The file to write
    #[arg(default_value = "routes.toml")]
    pub(crate) file: PathBuf,
}
