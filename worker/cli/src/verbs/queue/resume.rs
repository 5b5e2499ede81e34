//! `resume`: ends a pause.

use serde_json::json;

use crate::args::ResumeArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::output::Stdout;
use crate::session::{Session, existing};

pub(in crate::verbs) async fn perform(args: ResumeArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    let stats = existing(backend, &args.queue).await?;
    let was_paused = backend.admin.resume(&args.queue).await?;
    let mut words = vec![if was_paused {
        "resumed"
    } else {
        "was not paused"
    }];
    if args.moving && stats.moving.is_some() {
        backend.admin.mark_moving(&args.queue, None).await?;
        words.push("no longer moving");
    }
    if session.json() {
        Stdout::json(&json!({ "queue": args.queue, "paused": false, "was_paused": was_paused }))?;
    } else {
        Stdout::text(&format!("{} {}", args.queue, words.join(", ")))?;
    }
    match stats.moving {
        Some(mark) if !args.moving => session.note(format_args!(
            "it is being moved to {}; nothing is handed out until `longshore move` ends. If that \
             was broken off, run it again or add --moving",
            mark.to
        )),
        _ => {}
    }
    Ok(Exit::Done)
}
