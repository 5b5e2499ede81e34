//! `aggregates`: aggregates and their epochs listed, shown, closed, discarded.

mod change;
mod list;
mod show;
mod walk;

use longshore::core::EpochChange;

use crate::args::AggregatesVerb;
use crate::error::Result;
use crate::exit::Exit;
use crate::session::Session;

pub(super) async fn perform(verb: AggregatesVerb, session: &Session) -> Result<Exit> {
    match verb {
        AggregatesVerb::List(args) => list::perform(args, session).await,
        AggregatesVerb::Show(args) => show::perform(args, session).await,
        AggregatesVerb::Close(args) => change::perform(args, EpochChange::Close, session).await,
        AggregatesVerb::Discard(args) => change::perform(args, EpochChange::Discard, session).await,
    }
}
