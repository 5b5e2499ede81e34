//! Redriving and discarding dead letters.

use longshore_core::validate::check_count;
use longshore_core::wire::encode;
use longshore_core::{Changed, Content, MessageId, QueueName, Result, StoredMessage};

use crate::scripts;
use crate::store::RedisStore;

impl RedisStore {
    pub(crate) async fn redrive_dead(
        &self,
        queue: &QueueName,
        ids: &[MessageId],
    ) -> Result<Vec<Changed>> {
        self.each_dead("redrive", queue, ids, |stored| match &stored.content {
            Content::Damaged { .. } => None,
            Content::Intact(message) if message.expires_at.is_some() => {
                let mut unexpiring = message.clone();
                unexpiring.expires_at = None;
                Some(encode(&unexpiring))
            }
            Content::Intact(_) => Some(Vec::new()),
        })
        .await
    }

    pub(crate) async fn discard_dead(
        &self,
        queue: &QueueName,
        ids: &[MessageId],
    ) -> Result<Vec<Changed>> {
        self.each_dead("discard", queue, ids, |_| Some(Vec::new()))
            .await
    }

    /// Takes dead letters one by one; `head_of` answers the new head, empty to keep it, or
    /// nothing where the row cannot be read.
    async fn each_dead(
        &self,
        operation: &'static str,
        queue: &QueueName,
        ids: &[MessageId],
        head_of: impl Fn(&StoredMessage) -> Option<Vec<u8>> + Send + Sync,
    ) -> Result<Vec<Changed>> {
        check_count(operation, ids.len(), &self.limits)?;
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(place) = self.dead_place(queue, *id).await? else {
                outcomes.push(Changed::NotFound);
                continue;
            };
            let rows = self.rows(operation, queue, &place, 1, true).await?;
            let Some((_, stored)) = rows.items.into_iter().next() else {
                outcomes.push(Changed::NotFound);
                continue;
            };
            let Some(head) = head_of(&stored) else {
                outcomes.push(Changed::Unreadable);
                continue;
            };
            let mut call = self.call(operation, &scripts::DEAD, queue, place.partition);
            call.arg(queue.as_str())
                .arg(operation)
                .arg(id.to_string())
                .arg(head);
            let marks = self.marks(&call, 1).await?;
            outcomes.push(match marks[0] {
                b'1' => Changed::Applied,
                _ => Changed::NotFound,
            });
        }
        Ok(outcomes)
    }
}
