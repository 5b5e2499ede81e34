//! Taking over messages of another queue or store.

use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_core::validate::check_adopted;
use longshore_core::wire::encode;
use longshore_core::{
    Adopted, Content, IdOrigin, Message, MessageState, NewMessage, QueueName, Result, StoredMessage,
};
use redis::Pipeline;

use crate::connection::call::Call;
use crate::enqueue::general::scope_of;
use crate::enqueue::partition_batch::LARGE;
use crate::layout::row::{history_lines, id_bytes, lane_text};
use crate::scripts;
use crate::store::RedisStore;

impl RedisStore {
    pub(crate) async fn adopt_all(
        &self,
        queue: &QueueName,
        messages: &[StoredMessage],
    ) -> Result<Vec<Adopted>> {
        check_adopted("adopt", messages, &self.limits)?;
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        self.settings_of(queue).await?;
        self.register(queue, false).await?;
        let mut parts: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (index, stored) in messages.iter().enumerate() {
            parts.entry(self.home_of(stored)).or_default().push(index);
        }
        let mut outcomes = vec![Adopted::Known; messages.len()];
        for (partition, indexes) in parts {
            let mut call = self.call("adopt", &scripts::ADOPT, queue, partition);
            call.arg(queue.as_str());
            let mut bodies = Pipeline::new();
            for index in &indexes {
                self.add(queue, partition, &messages[*index], &mut call, &mut bodies);
            }
            if !bodies.is_empty() {
                let key = self.keys.any(queue, partition);
                self.session.bulk("adopt", &bodies, &key).await?;
            }
            let marks = self.session.run_durably(&call).await?.bytes()?;
            let marks = crate::store::read_marks(&marks, indexes.len())?;
            for (index, mark) in indexes.into_iter().zip(marks) {
                if mark == b'1' {
                    outcomes[index] = Adopted::Stored;
                }
            }
        }
        Ok(outcomes)
    }

    /// The partition of a message; those without a home go by their id, so that a second adopt
    /// finds the first.
    fn home_of(&self, stored: &StoredMessage) -> u16 {
        let home = stored.message().and_then(|message| {
            let mut new = NewMessage::new(
                message.id,
                IdOrigin::Given,
                message.kind.clone(),
                Bytes::new(),
            );
            new.group.clone_from(&message.group);
            new.dedup.clone_from(&message.dedup);
            self.partition_of(&new)
        });
        home.unwrap_or(0)
    }

    fn add(
        &self,
        queue: &QueueName,
        partition: u16,
        stored: &StoredMessage,
        call: &mut Call,
        bodies: &mut Pipeline,
    ) {
        let (head, body, message): (Vec<u8>, &Bytes, Option<&Message>) = match &stored.content {
            Content::Intact(message) => (encode(message), &message.body, Some(message)),
            Content::Damaged { head, body, .. } => (head.to_vec(), body, None),
        };
        let mut flags = String::from("t");
        let mut kept = body.clone();
        if body.len() > LARGE {
            let name = format!("{:032x}", fastrand::u128(..));
            let key = self.keys.body(queue, partition, &name);
            bodies
                .cmd("SET")
                .arg(&key)
                .arg(body.as_ref())
                .arg("EX")
                .arg(3600)
                .ignore();
            call.key(key);
            flags.push('x');
            kept = Bytes::from(name);
        }
        let dedup_until = message.and_then(|message| {
            let dedup = message.dedup.as_ref()?;
            Some(message.enqueued_at.plus(dedup.window).as_millis())
        });
        let (reason, error, died) = match &stored.state {
            MessageState::Dead(mark) => (
                mark.reason.as_str(),
                mark.error.clone().unwrap_or_default(),
                format!(
                    "{}{}",
                    if mark.parks_group { "p" } else { "" },
                    mark.dead_at.as_millis()
                ),
            ),
            _ => ("", String::new(), String::new()),
        };
        let id = stored.id();
        call.arg(&id_bytes(id)[..])
            .arg(id.to_string())
            .arg(lane_text(
                message.map(|message| message.lane).unwrap_or_default(),
            ))
            .arg(stored.attempts)
            .arg(stored.recorded_through)
            .arg(stored.due_at.as_millis())
            .arg(flags)
            .arg(stored.group().map_or("", |group| group.as_str()))
            .arg(scope_of(
                message.and_then(|message| message.dedup.as_ref()),
                stored.group(),
            ))
            .arg(dedup_until.unwrap_or(0))
            .arg(history_lines(&stored.history))
            .arg(stored.checkpoint.as_deref().unwrap_or_default())
            .arg(head)
            .arg(kept.as_ref())
            .arg(reason)
            .arg(error)
            .arg(died);
    }
}
