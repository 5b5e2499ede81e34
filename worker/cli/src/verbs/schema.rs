//! `schema`: of route files, of a store; or brings a store up to date.

use serde_json::json;

use crate::args::{SchemaArgs, SchemaVerb};
use crate::error::Result;
use crate::exit::Exit;
use crate::output::Stdout;
use crate::session::Session;

pub(super) async fn perform(args: SchemaArgs, session: &Session) -> Result<Exit> {
    match args.verb {
        None => {
            Stdout::json(&longshore::routes::json_schema())?;
            Ok(Exit::Done)
        }
        Some(SchemaVerb::Ddl) => print_ddl(session),
        Some(SchemaVerb::Apply) => apply(session).await,
    }
}

fn print_ddl(session: &Session) -> Result<Exit> {
    let url = session.store()?.url;
    let ddl = longshore::registry().ddl(&url)?;
    if session.json() {
        Stdout::json(&json!({ "scheme": url.scheme(), "ddl": ddl }))?;
    } else {
        Stdout::text(&ddl)?;
    }
    Ok(Exit::Done)
}

/// Opening a store creates it or brings it up to date.
async fn apply(session: &Session) -> Result<Exit> {
    let is_missing = match session.open().await {
        Ok(_) => false,
        Err(error) if error.exit() == Exit::NothingMatched => true,
        Err(error) => return Err(error),
    };
    let connection = session.open_or_create().await?;
    let store = connection.url().to_string();
    let outcome = if is_missing { "created" } else { "current" };
    if session.json() {
        Stdout::json(&json!({ "store": store, "outcome": outcome }))?;
    } else if is_missing {
        Stdout::text(&format!("the store {store} was created"))?;
    } else {
        Stdout::text(&format!("the schema of {store} is current"))?;
    }
    Ok(Exit::Done)
}
