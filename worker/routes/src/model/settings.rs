//! `[queue."…"]`: handing the settings to the store when a run starts.

use longshore_core::Result;

use crate::RouteSet;
use longshore::Connection;

/// Sets what the file names. Where another file or person had set something else, the last
/// writer wins and a warning names both.
pub(crate) async fn apply(set: &RouteSet, connection: &Connection) -> Result<()> {
    for entry in &set.0.queues {
        let admin = &connection.backend().admin;
        let configured = admin.configure(&entry.queue, &entry.change).await?;
        for one in configured.overridden {
            tracing::warn!(
                queue = %entry.queue, key = one.key, before = %one.before, now = %one.now,
                "{} sets what {} had set otherwise", entry.change.author, one.author
            );
        }
    }
    Ok(())
}
