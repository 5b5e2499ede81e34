//! Whether a dead member holds its group.

use std::sync::Mutex;
use std::time::Duration;

use longshore_core::{OnGroupDead, QueueName, QueueSettings};
use tokio::time::Instant;

use crate::Connection;
use crate::job::lock;

/// Settings are read again after this long.
const CACHED: Duration = Duration::from_secs(5);

/// The setting `on_group_dead` of a queue, read when a grouped message dies.
#[derive(Debug, Default)]
pub(crate) struct GroupDead(Mutex<Option<(Instant, bool)>>);

impl GroupDead {
    /// Whether a dead member parks its group. Where the store cannot be asked, what it said last
    /// holds.
    pub(crate) async fn parks(&self, connection: &Connection, queue: &QueueName) -> bool {
        let known = *lock(&self.0);
        if let Some((read_at, parks)) = known
            && read_at.elapsed() < CACHED
        {
            return parks;
        }
        match connection.backend().admin.settings(queue).await {
            Ok(settings) => self.learn(&settings),
            Err(error) => {
                tracing::debug!(%queue, %error, "the settings cannot be read");
                known.is_some_and(|(_, parks)| parks)
            }
        }
    }

    pub(crate) fn learn(&self, settings: &QueueSettings) -> bool {
        let parks = settings.on_group_dead == Some(OnGroupDead::Park);
        *lock(&self.0) = Some((Instant::now(), parks));
        parks
    }
}
