//! `dead`: dead letters listed, shown, redriven, discarded, exported, imported.

mod answer;
mod change;
mod edit;
mod export;
mod fingerprint;
mod group;
mod import;
mod list;
mod pace;
mod request;

mod show;
mod walk;

use self::change::{Change, Request};
use crate::args::{DeadRedriveArgs, DeadVerb};

use crate::error::Result;
use crate::exit::Exit;
use crate::session::Session;

pub(super) async fn perform(verb: DeadVerb, session: &Session) -> Result<Exit> {
    match verb {
        DeadVerb::List(args) => match args.group_by {
            None => list::perform(args, session).await,
            Some(by) => group::perform(args, by, session).await,
        },
        DeadVerb::Show(args) => show::perform(args, session).await,
        DeadVerb::Redrive(args) => redrive(args, session).await,
        DeadVerb::Discard(args) => Request::new(Change::Discard, args).perform(session).await,
        DeadVerb::Export(args) => export::perform(args, session).await,
        DeadVerb::Import(args) => import::perform(args, session).await,
    }
}

async fn redrive(args: DeadRedriveArgs, session: &Session) -> Result<Exit> {
    let DeadRedriveArgs { change, edit } = args;
    if edit.is_none() {
        return Request::new(Change::Redrive, change).perform(session).await;
    }
    let selection = &change.selection;
    edit::perform(
        &selection.queue,
        &selection.id,
        &edit,
        change.dry_run,
        session,
    )
    .await
}
