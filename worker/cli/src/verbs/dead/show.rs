//! `dead show`.

use crate::args::DeadShowArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::session::Session;
use crate::verbs::show;

pub(super) async fn perform(args: DeadShowArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let stored = show::find(&connection, &args.queue, args.id).await?;
    if stored.dead().is_none() {
        return Err(CliError::nothing_matched(format!(
            "message {} is no dead letter, it is {}; see it with `longshore show {} {}`",
            args.id,
            stored.state.as_str(),
            args.queue,
            args.id
        )));
    }
    show::print(&args.queue, &stored, session)
}
