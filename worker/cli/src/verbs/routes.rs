//! `routes`: what a route file means.

mod check;
mod explain;

use crate::args::{RouteFileArgs, RoutesVerb};
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, escape};
use crate::route_files;
use crate::session::Session;

pub(super) fn perform(verb: RoutesVerb, session: &Session) -> Result<Exit> {
    match verb {
        RoutesVerb::Check(args) => check::perform(&args, session),
        RoutesVerb::Show(args) => show(&args, session),
        RoutesVerb::Explain(args) => explain::perform(&args, session),
    }
}

fn show(args: &RouteFileArgs, session: &Session) -> Result<Exit> {
    let graph = route_files::load(&args.file)?.graph();
    if session.json() {
        Stdout::json(&graph)?;
    } else {
        Stdout::text(&escape::lines(&graph.to_string()))?;
    }
    Ok(Exit::Done)
}
