//! `cancel`: removes messages that no worker has yet.

use crate::args::CancelArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::session::{Session, existing};

use super::changed;

pub(super) async fn perform(args: CancelArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    existing(backend, &args.queue).await?;
    let outcomes = changed::in_parts(backend, &args.id, async |part| {
        backend.admin.cancel(&args.queue, part).await
    })
    .await?;
    changed::print(&args.id, &outcomes, "cancelled", session)
}
