//! `schema`: of route files, of a store; or brings a store up to date.

use longshore::core::StoreUrl;
use serde_json::json;

use crate::args::{SchemaArgs, SchemaVerb};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::Stdout;
use crate::session::{Session, open};

pub(super) async fn perform(args: SchemaArgs, session: &Session) -> Result<Exit> {
    match args.verb {
        None => {
            Stdout::json(&longshore_routes::json_schema())?;
            Ok(Exit::Done)
        }
        Some(SchemaVerb::Ddl) => print_ddl(session),
        Some(SchemaVerb::Apply { dc }) => apply(session, dc.as_deref()).await,
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
async fn apply(session: &Session, copies: Option<&str>) -> Result<Exit> {
    let mut setting = session.store()?;
    if let Some(copies) = copies {
        setting.url = with_copies(setting.url, copies)?;
    }
    let outcome = match open(&setting, false).await {
        Ok(_) => "current",
        Err(error) if error.exit() == Exit::NothingMatched => "created",
        Err(error) => return Err(error),
    };
    let connection = session.open_for_work(&setting).await?;
    let store = connection.url().to_string();
    if session.json() {
        Stdout::json(&json!({ "store": store, "outcome": outcome }))?;
    } else if outcome == "current" {
        Stdout::text(&format!("the schema of {store} is current"))?;
    } else {
        Stdout::text(&format!("the store {store} was {outcome}"))?;
    }
    Ok(Exit::Done)
}

/// The URL asks for as many copies as `--dc` says.
fn with_copies(url: StoreUrl, copies: &str) -> Result<StoreUrl> {
    if !url.scheme().starts_with("cassandra") {
        return Err(CliError::usage(format!(
            "--dc is for Cassandra, and the store is {url}; leave it out"
        )));
    }
    if url.query("rf").is_some() {
        return Err(CliError::usage(
            "--dc and rf= of the URL both say how many copies there are; give one of them",
        ));
    }
    let is_pair = |part: &str| {
        part.split_once('=')
            .is_some_and(|(dc, _)| !dc.contains(':'))
    };
    if !copies.split(',').all(is_pair) {
        return Err(CliError::usage(
            "--dc wants copies for each data centre by its name, such as --dc eu1=3,us1=3",
        ));
    }
    Ok(url.with_query("rf", copies.replace('=', ":")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_each_data_centre_go_into_the_url() {
        let url = |text: &str| text.parse::<StoreUrl>().unwrap();
        let cassandra = "cassandra://h/longshore?dc=eu1";
        let with = with_copies(url(cassandra), "eu1=3,us1=2").unwrap();
        assert_eq!(with.query("rf"), Some("eu1:3,us1:2"));
        for (store, copies) in [
            ("sqlite://./q.db", "eu1=3"),
            ("cassandra://h/longshore?rf=3", "eu1=3"),
            (cassandra, "3"),
            (cassandra, "eu1=3,"),
            (cassandra, "eu1:3"),
        ] {
            let error = with_copies(url(store), copies).expect_err(copies);
            assert_eq!(error.exit(), Exit::Usage, "{store} {copies}");
        }
    }
}
