//! Storing the part of a batch that goes to one partition.

use longshore_core::wire::encode_new;
use longshore_core::{
    Dedup, Enqueued, GroupName, IdOrigin, MessageId, NewMessage, QueueName, QueueSettings, Result,
    Timestamp,
};
use redis::Pipeline;
use uuid::Uuid;

use crate::error::strange;
use crate::link::Call;
use crate::reply::Reply;
use crate::row::{id_bytes, lane_text};
use crate::script;
use crate::store::{RedisStore, told};

/// Bodies over this lie in a key of their own: through a script they would cost too much.
pub(crate) const LARGE: usize = 16 * 1024;
/// A large body whose message never came is gone after this long.
const ORPHAN_S: u64 = 3600;

/// The part of a batch that goes to one partition.
pub(crate) struct Part {
    pub(crate) partition: u16,
    /// The number of the call.
    pub(crate) number: u64,
    /// Whether it may have been sent before.
    pub(crate) is_repeat: bool,
    /// Positions in the batch.
    pub(crate) places: Vec<usize>,
}
impl RedisStore {
    pub(crate) async fn enqueue_part(
        &self,
        queue: &QueueName,
        part: &Part,
        batch: &[NewMessage],
        settings: &QueueSettings,
    ) -> Result<Vec<Enqueued>> {
        let plain = settings.depth_max.is_none()
            && part.places.iter().all(|place| is_plain(&batch[*place]));
        if plain && self.goes_bare(queue, part) {
            return self.enqueue_bare(queue, part, batch, settings).await;
        }
        if plain && let Some(done) = self.enqueue_plain(queue, part, batch, settings).await? {
            self.prepare_bare(queue, part).await;
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
        let (now, mut head) = (self.time.now(), Vec::new());
        for new in part.places.iter().map(|place| &batch[*place]) {
            let body = self.outsource(queue, part.partition, new, &mut bodies, &mut call);
            encode_new(new, now, settings.expires(), &mut head);
            add_message(&mut call, new, now, &head, body);
        }
        if !bodies.is_empty() {
            let key = self.keys.any(queue, part.partition);
            self.link.bulk("enqueue", &bodies, &key).await?;
        }
        let reply = self.link.run_durably(&call).await?;
        self.read_outcomes(queue, reply, part.places.len()).await
    }

    /// Sends a large body on its own. Answers the name it lies under.
    fn outsource(
        &self,
        queue: &QueueName,
        partition: u16,
        new: &NewMessage,
        bodies: &mut Pipeline,
        call: &mut Call,
    ) -> Option<String> {
        if new.body.len() <= LARGE {
            return None;
        }
        let name = format!("{:032x}", fastrand::u128(..));
        let key = self.keys.body(queue, partition, &name);
        // A name is new, so an old body is never replaced; one that is sent twice stays as it is.
        bodies
            .cmd("SET")
            .arg(&key)
            .arg(new.body.as_ref())
            .arg("NX")
            .arg("EX")
            .arg(ORPHAN_S)
            .ignore();
        call.key(key);
        Some(name)
    }

    /// The short way for messages that need nothing but a place in the stream.
    async fn enqueue_plain(
        &self,
        queue: &QueueName,
        part: &Part,
        batch: &[NewMessage],
        settings: &QueueSettings,
    ) -> Result<Option<Vec<Enqueued>>> {
        let names = ["c", "s0", "s1", "s2", "w", "pr", "z"];
        let mut keys = self.keys.some(queue, part.partition, &names);
        keys[5] = self.keys.producer(queue, part.partition, &self.producer);
        let mut call = Call::new("enqueue", &script::ENQUEUE_PLAIN, keys);
        call.arg(self.time.argument())
            .arg(queue.as_str())
            .arg(part.number)
            .arg(if part.is_repeat { "r" } else { "" });
        let (now, mut head) = (self.time.now(), Vec::new());
        for new in part.places.iter().map(|place| &batch[*place]) {
            encode_new(new, now, settings.expires(), &mut head);
            call.arg(lane_text(new.lane))
                .arg(&id_bytes(new.id)[..])
                .arg(&head)
                .arg(new.body.as_ref());
        }
        let reply = self.link.run_durably(&call).await?;
        if reply.is_number() {
            return Ok(None);
        }
        self.read_outcomes(queue, reply, part.places.len())
            .await
            .map(Some)
    }

    pub(crate) async fn read_outcomes(
        &self,
        queue: &QueueName,
        reply: Reply,
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

fn is_plain(new: &NewMessage) -> bool {
    new.group.is_none()
        && new.due.is_none()
        && new.dedup.is_none()
        && new.id_origin == IdOrigin::Fresh
        && new.body.len() <= LARGE
}

/// The scope of a dedup key, as the store keeps it.
pub(crate) fn scope_of(dedup: Option<&Dedup>, group: Option<&GroupName>) -> String {
    let Some(dedup) = dedup else {
        return String::new();
    };
    // Neither holds a control character, so the two cannot be mistaken.
    let group = group.map_or("", GroupName::as_str);
    format!("{}\u{1}{group}", dedup.key)
}

fn add_message(
    call: &mut Call,
    new: &NewMessage,
    now: Timestamp,
    head: &[u8],
    body: Option<String>,
) {
    let due = new.due.map_or(0, |due| due.resolve(now).as_millis());
    let mut flags = String::new();
    if new.id_origin == IdOrigin::Given {
        flags.push('t');
    }
    if body.is_some() {
        flags.push('x');
    }
    let group = new.group.as_ref();
    let dedup = new.dedup.as_ref();
    let window = dedup.map_or(0, |dedup| dedup.window.as_millis());
    call.arg(lane_text(new.lane))
        .arg(due)
        .arg(flags)
        .arg(group.map_or("", GroupName::as_str))
        .arg(scope_of(dedup, group))
        .arg(u64::try_from(window).unwrap_or(u64::MAX))
        .arg(&id_bytes(new.id)[..])
        .arg(head);
    match body {
        Some(name) => call.arg(name),
        None => call.arg(new.body.as_ref()),
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
