//! `routes explain`: what becomes of a failure.

use crate::args::ExplainArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, escape};
use crate::route_files;
use crate::session::Session;

pub(super) fn perform(args: &ExplainArgs, session: &Session) -> Result<Exit> {
    let set = route_files::load(&args.file)?;
    let route = args.route.as_ref().map(AsRef::as_ref);
    let plans = set
        .explain(route, args.error.as_str())
        .map_err(CliError::usage)?;
    if session.json() {
        Stdout::json(&plans)?;
        return Ok(Exit::Done);
    }
    let texts: Vec<String> = plans
        .iter()
        .map(|plan| plan.to_string().trim_end().to_owned())
        .collect();
    Stdout::text(&escape::lines(&texts.join("\n\n")))?;
    Ok(Exit::Done)
}
