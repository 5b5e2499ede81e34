//! `backup`: a copy of a store that is one file.

use serde_json::json;

use crate::args::BackupArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::Stdout;
use crate::session::Session;

pub(super) async fn perform(args: BackupArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backup = connection.backend().backup()?.clone();
    let copied = tokio::select! {
        copied = backup.backup(&args.file) => copied?,
        signal = async { Ok::<_, CliError>(crate::signals::Signals::listen()?.next().await) } => {
            return signal;
        }
    };
    let file = args.file.display().to_string();
    if session.json() {
        Stdout::json(&json!({ "file": file, "bytes": copied }))?;
    } else {
        Stdout::text(&format!("{file}: {} KiB", copied.div_ceil(1024)))?;
    }
    Ok(Exit::Done)
}
