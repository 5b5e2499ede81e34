//! `pause`: stops receiving from a queue, everywhere.

use longshore::core::Pause;
use serde_json::json;

use crate::args::PauseArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::identity;
use crate::output::Stdout;
use crate::session::{Session, existing};

/// The longest reason.
const REASON_MAX: usize = 1000;

pub(in crate::verbs) async fn perform(args: PauseArgs, session: &Session) -> Result<Exit> {
    if args.reason.len() > REASON_MAX {
        return Err(CliError::usage(format!(
            "the reason has {} bytes, at most {REASON_MAX} are allowed",
            args.reason.len()
        )));
    }
    let connection = if args.create {
        session.open_or_create().await?
    } else {
        let connection = session.open().await?;
        let hint = "--create pauses one that nobody has used yet";
        let known = existing(connection.backend(), &args.queue).await;
        known.map_err(|error| error.and_so_far(hint))?;
        connection
    };
    let pause = Pause {
        author: identity::author(),
        reason: args.reason,
        since: connection.clock().now(),
    };
    connection
        .backend()
        .admin
        .pause(&args.queue, &pause)
        .await?;
    if session.json() {
        Stdout::json(&json!({ "queue": args.queue, "paused": true }))?;
    } else {
        Stdout::text(&format!(
            "{} is paused; `longshore resume {}` ends it",
            args.queue, args.queue
        ))?;
    }
    Ok(Exit::Done)
}
