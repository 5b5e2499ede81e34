//! Files that another store of the route files has fed already.

use longshore::Connection;
use longshore_routes::RouteSet;

use crate::args::RunArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::counted;
use crate::session::open;
use crate::settings::StoreSetting;

/// Refuses to feed files again that a named store remembers and the store of the run does not: the
/// store was changed, and the progress stayed behind.
pub(super) async fn check(set: &RouteSet, args: &RunArgs, store: &Connection) -> Result<()> {
    if set.named_stores().next().is_none() {
        return Ok(());
    }
    let unremembered = set.unremembered(&args.route, store).await?;
    if unremembered.is_empty() {
        return Ok(());
    }
    for (name, url) in set.named_stores() {
        let setting = StoreSetting::new(url.clone(), format!("[stores.{name}]"));
        let former = match open(&setting, false).await {
            Ok(former) => former,
            Err(error) => {
                tracing::debug!(
                    store = name,
                    error = error.to_string(),
                    "it could not be asked which files it remembers"
                );
                continue;
            }
        };
        for route in &unremembered {
            let files = set.remembered(route, &former).await?;
            if files > 0 {
                let files = counted(files, "file");
                let (here, there) = (store.url(), former.url());
                return Err(CliError::new(
                    Exit::Misconfigured,
                    format!(
                        "[stores.{name}] remembers {files} of the route {route}, and {here} none: \
                         they would be fed again. Take the progress along with `longshore --store \
                         {there} move route.{route} route.{route} --to-store {here} --yes`, or take \
                         [stores.{name}] out of the file"
                    ),
                ));
            }
        }
    }
    Ok(())
}
