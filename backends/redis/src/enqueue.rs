//! Storing messages.

use std::collections::BTreeMap;

use longshore_core::validate::check_batch;
use longshore_core::wire::encode;
use longshore_core::{
    Effect, Enqueued, IdOrigin, Message, MessageId, NewMessage, QueueName, QueueSettings, Result,
};
use redis::Pipeline;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::strange;
use crate::link::Call;
use crate::pending::{Earlier, fingerprint};
use crate::row::{id_bytes, lane_text};
use crate::script;
use crate::store::{RedisStore, locked, told};

/// Bodies over this lie in a key of their own: through a script they would cost too much.
pub(crate) const LARGE: usize = 16 * 1024;
/// A large body whose message never came is gone after this long.
const ORPHAN_S: u64 = 3600;
/// The part of a batch that goes to one partition.
struct Part {
    partition: u16,
    number: u64,
    is_repeat: bool,
    /// Positions in the batch.
    places: Vec<usize>,
    messages: Vec<Message>,
}

impl RedisStore {
    pub(crate) async fn enqueue_batch(
        &self,
        queue: &QueueName,
        batch: &[NewMessage],
    ) -> Result<Vec<Enqueued>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let settings = self.settings_of(queue).await?;
        check_batch("enqueue", batch, &settings, &self.limits)?;
        self.register(queue, false).await?;
        let fingerprint = fingerprint(queue, batch);
        let now = self.time.now();
        let before = locked(&self.pending).earlier(fingerprint, now);
        if matches!(before, Some(Earlier::Stored { .. })) && batch.iter().all(is_fresh) {
            return Ok(batch
                .iter()
                .map(|new| Enqueued::Duplicate { first: new.id })
                .collect());
        }
        // A repeat goes where the call went before and under the same number.
        let (any, number, is_repeat) = match before {
            Some(Earlier::Unknown { partition, number }) => (partition, number, true),
            Some(Earlier::Stored { .. }) | None => {
                let number = self.next_call();
                let any = (number % u64::from(self.partitions)) as u16;
                (any, number, false)
            }
        };
        let sent = Earlier::Unknown {
            partition: any,
            number,
        };
        let parts = self.split(batch, &settings, (any, number), is_repeat);
        let mut outcomes = vec![Enqueued::Stored; batch.len()];
        for (index, part) in parts.into_iter().enumerate() {
            match self.enqueue_part(queue, &part, batch, &settings).await {
                Ok(done) => {
                    for (place, outcome) in part.places.iter().zip(done) {
                        outcomes[*place] = outcome;
                    }
                }
                Err(error) => {
                    let error = error.with("queue", queue).with("batch", batch.len());
                    // Parts before this one are stored.
                    let error = if index > 0 {
                        error.effect_unknown()
                    } else {
                        error
                    };
                    if error.effect() == Effect::Unknown {
                        self.note(fingerprint, sent);
                    }
                    return Err(error);
                }
            }
        }
        self.note(fingerprint, Earlier::Stored { at: now });
        Ok(outcomes)
    }

    fn note(&self, fingerprint: u64, earlier: Earlier) {
        locked(&self.pending).note(fingerprint, earlier);
    }

    /// Which message goes where. Parts in different partitions share the number of the call: each
    /// partition knows by itself whether its part arrived.
    fn split(
        &self,
        batch: &[NewMessage],
        settings: &QueueSettings,
        (any, number): (u16, u64),
        is_repeat: bool,
    ) -> Vec<Part> {
        let now = self.time.now();
        let mut parts: BTreeMap<u16, Part> = BTreeMap::new();
        for (place, new) in batch.iter().enumerate() {
            let partition = self.partition_of(new).unwrap_or(any);
            let part = parts.entry(partition).or_insert_with(|| Part {
                partition,
                number,
                is_repeat: is_repeat || self.repeats,
                places: Vec::new(),
                messages: Vec::new(),
            });
            part.places.push(place);
            part.messages.push(new.stored_at(now, settings.expires()));
        }
        parts.into_values().collect()
    }

    /// The partition a message must go to: what is recognised must be in one place.
    pub(crate) fn partition_of(&self, new: &NewMessage) -> Option<u16> {
        if self.partitions == 1 {
            return Some(0);
        }
        let key = if let Some(group) = &new.group {
            xxh3_64(group.as_str().as_bytes())
        } else if let Some(dedup) = &new.dedup {
            xxh3_64(dedup.key.as_str().as_bytes())
        } else if new.id_origin == IdOrigin::Given {
            xxh3_64(&id_bytes(new.id))
        } else {
            return None;
        };
        Some((key % u64::from(self.partitions)) as u16)
    }

    async fn enqueue_part(
        &self,
        queue: &QueueName,
        part: &Part,
        batch: &[NewMessage],
        settings: &QueueSettings,
    ) -> Result<Vec<Enqueued>> {
        let plain = settings.depth_max.is_none()
            && part.places.iter().all(|place| is_plain(&batch[*place]));
        if plain && let Some(done) = self.enqueue_plain(queue, part).await? {
            return Ok(done);
        }
        let mut call = self.call("enqueue", &script::ENQUEUE, queue, part.partition);
        call.key(self.keys.producer(queue, part.partition, &self.producer));
        // Each partition has its share of the depth.
        let share = u64::from(self.partitions);
        let depth = settings
            .depth_max
            .map(|max| max.div_ceil(share).to_string());
        call.arg(queue.as_str())
            .arg(depth.unwrap_or_default())
            .arg("")
            .arg(part.number)
            .arg(if part.is_repeat { "r" } else { "" });
        let mut bodies = Pipeline::new();
        for (place, message) in part.places.iter().zip(&part.messages) {
            let body = self.outsource(queue, part.partition, message, &mut bodies, &mut call);
            add_message(&mut call, &batch[*place], message, body);
        }
        if !bodies.is_empty() {
            let key = self.keys.any(queue, part.partition);
            self.link.bulk("enqueue", &bodies, &key).await?;
        }
        let reply = self.link.run_durably(&call).await?;
        self.read_outcomes(queue, reply, part.messages.len()).await
    }

    /// Sends a large body on its own. Answers the name it lies under.
    fn outsource(
        &self,
        queue: &QueueName,
        partition: u16,
        message: &Message,
        bodies: &mut Pipeline,
        call: &mut Call,
    ) -> Option<String> {
        if message.body.len() <= LARGE {
            return None;
        }
        let name = format!("{:032x}", fastrand::u128(..));
        let key = self.keys.body(queue, partition, &name);
        // A name is new, so an old body is never replaced; one that is sent twice stays as it is.
        bodies
            .cmd("SET")
            .arg(&key)
            .arg(message.body.as_ref())
            .arg("NX")
            .arg("EX")
            .arg(ORPHAN_S)
            .ignore();
        call.key(key);
        Some(name)
    }

    /// The short way for messages that need nothing but a place in the stream.
    async fn enqueue_plain(&self, queue: &QueueName, part: &Part) -> Result<Option<Vec<Enqueued>>> {
        let names = ["c", "s0", "s1", "s2", "w", "pr", "z"];
        let mut keys = self.keys.some(queue, part.partition, &names);
        keys[5] = self.keys.producer(queue, part.partition, &self.producer);
        let mut call = Call::new("enqueue", &script::ENQUEUE_PLAIN, keys);
        call.arg(self.time.argument())
            .arg(queue.as_str())
            .arg(part.number)
            .arg(if part.is_repeat { "r" } else { "" });
        for message in &part.messages {
            call.arg(lane_text(message.lane))
                .arg(&id_bytes(message.id)[..])
                .arg(encode(message))
                .arg(message.body.as_ref());
        }
        let reply = self.link.run_durably(&call).await?;
        if reply.is_number() {
            return Ok(None);
        }
        self.read_outcomes(queue, reply, part.messages.len())
            .await
            .map(Some)
    }

    async fn read_outcomes(
        &self,
        queue: &QueueName,
        reply: crate::reply::Reply,
        count: usize,
    ) -> Result<Vec<Enqueued>> {
        let [now, is_new, outcomes] = reply.fixed()?;
        told(self, now)?;
        if is_new.number()? == 1 {
            self.register(queue, true).await?;
        }
        let outcomes = outcomes.bytes()?;
        if outcomes.is_empty() {
            return Ok(vec![Enqueued::Stored; count]);
        }
        read_marks(&outcomes, count)
    }
}

fn is_fresh(new: &NewMessage) -> bool {
    new.id_origin == IdOrigin::Fresh
}

fn is_plain(new: &NewMessage) -> bool {
    new.group.is_none()
        && new.due.is_none()
        && new.dedup.is_none()
        && new.id_origin == IdOrigin::Fresh
        && new.body.len() <= LARGE
}

/// The scope of a dedup key, as the store keeps it.
pub(crate) fn scope_of(message: &Message) -> String {
    let Some(dedup) = &message.dedup else {
        return String::new();
    };
    // Neither holds a control character, so the two cannot be mistaken.
    let group = message.group.as_ref().map_or("", |group| group.as_str());
    format!("{}\u{1}{group}", dedup.key)
}

fn add_message(call: &mut Call, new: &NewMessage, message: &Message, body: Option<String>) {
    let due = if new.due.is_some() {
        message.due_at.as_millis()
    } else {
        0
    };
    let mut flags = String::new();
    if message.id_origin == IdOrigin::Given {
        flags.push('t');
    }
    if body.is_some() {
        flags.push('x');
    }
    let window = message
        .dedup
        .as_ref()
        .map_or(0, |dedup| dedup.window.as_millis());
    call.arg(lane_text(message.lane))
        .arg(due)
        .arg(flags)
        .arg(message.group.as_ref().map_or("", |group| group.as_str()))
        .arg(scope_of(message))
        .arg(u64::try_from(window).unwrap_or(u64::MAX))
        .arg(&id_bytes(message.id)[..])
        .arg(encode(message));
    match body {
        Some(name) => call.arg(name),
        None => call.arg(message.body.as_ref()),
    };
}

fn read_marks(outcomes: &[u8], count: usize) -> Result<Vec<Enqueued>> {
    let mut read = Vec::with_capacity(count);
    let mut rest = outcomes;
    while let Some((mark, after)) = rest.split_first() {
        rest = after;
        if *mark == b's' {
            read.push(Enqueued::Stored);
            continue;
        }
        let Some((id, after)) = rest.split_first_chunk::<16>() else {
            return Err(strange("enqueue", "an outcome is cut off"));
        };
        rest = after;
        let first = MessageId::from_uuid(Uuid::from_bytes(*id));
        read.push(Enqueued::Duplicate { first });
    }
    if read.len() == count {
        return Ok(read);
    }
    Err(strange("enqueue", "there are too few outcomes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_in_order() {
        let mut text = b"sd".to_vec();
        text.extend_from_slice(&[7; 16]);
        text.push(b's');
        let first = MessageId::from_uuid(Uuid::from_bytes([7; 16]));
        assert_eq!(
            read_marks(&text, 3).unwrap(),
            [
                Enqueued::Stored,
                Enqueued::Duplicate { first },
                Enqueued::Stored
            ]
        );
        assert!(read_marks(&text, 2).is_err());
        assert!(read_marks(b"d123", 1).is_err());
    }
}
