//! `reschedule`: another due time for messages that no worker has.

use super::changed;
use crate::args::RescheduleArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::session::{Session, existing};

pub(super) async fn perform(args: RescheduleArgs, session: &Session) -> Result<Exit> {
    let due = args.due.due().ok_or_else(|| {
        CliError::usage("it needs a time: --delay 5m from now, or --at 2026-12-24T18:00:00Z")
    })?;
    let connection = session.open().await?;
    let backend = connection.backend();
    existing(backend, &args.queue).await?;
    let outcomes = changed::in_parts(backend, &args.id, async |part| {
        backend.admin.reschedule(&args.queue, part, due).await
    })
    .await?;
    changed::print(&args.id, &outcomes, "rescheduled", session)
}
