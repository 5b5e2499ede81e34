//! `dead`: dead letters listed, shown, redriven, discarded, exported.

mod answer;
mod change;
mod export;
mod fingerprint;
mod group;
mod list;
mod pace;
mod request;
mod show;
mod walk;

use self::change::{Change, Request};
use crate::args::DeadVerb;
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
        DeadVerb::Redrive(args) => Request::new(Change::Redrive, args).perform(session).await,
        DeadVerb::Discard(args) => Request::new(Change::Discard, args).perform(session).await,
        DeadVerb::Export(args) => export::perform(args, session).await,
    }
}
