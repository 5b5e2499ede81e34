//! Which verb does what.

use super::queue::{delete, move_queue, pause, purge, queues, resume};
use super::{
    aggregates, backup, bench, cancel, completions, dead, doctor, enqueue, extend, fsck, init,
    peek, receive, reschedule, routes, run, schema, settle, show, workers,
};
use crate::args::Verb;
use crate::error::Result;
use crate::exit::Exit;
use crate::session::Session;

/// Does what the command line asks.
pub(crate) async fn perform(verb: Verb, session: &Session) -> Result<Exit> {
    match verb {
        Verb::Enqueue(args) => enqueue::perform(*args, session).await,
        Verb::Run(args) => Box::pin(run::perform(args, session)).await,
        Verb::Receive(args) => Box::pin(receive::perform(args, session)).await,
        Verb::Settle(args) => settle::perform(args, session).await,
        Verb::Extend(args) => extend::perform(args, session).await,
        Verb::Queues(args) => queues::perform(args, session).await,
        Verb::Peek(args) => peek::perform(args, session).await,
        Verb::Show(args) => show::perform(args, session).await,
        Verb::Cancel(args) => cancel::perform(args, session).await,
        Verb::Reschedule(args) => reschedule::perform(args, session).await,
        Verb::Init(args) => init::perform(&args, session),
        Verb::Dead(args) => dead::perform(args.verb, session).await,
        Verb::Aggregates(args) => aggregates::perform(args.verb, session).await,
        Verb::Purge(args) => purge::perform(args, session).await,
        Verb::Delete(args) => delete::perform(args, session).await,
        Verb::Move(args) => Box::pin(move_queue::perform(args, session)).await,
        Verb::Pause(args) => pause::perform(args, session).await,
        Verb::Resume(args) => resume::perform(args, session).await,
        Verb::Routes(args) => routes::perform(args.verb, session),
        Verb::Workers => workers::perform(session).await,
        Verb::Doctor(args) => doctor::perform(&args, session).await,
        Verb::Fsck(args) => fsck::perform(args, session).await,
        Verb::Backup(args) => backup::perform(args, session).await,
        Verb::Bench(args) => bench::perform(args, session).await,
        Verb::Schema(args) => schema::perform(args, session).await,
        Verb::Completions(args) => completions::perform(&args),
    }
}
