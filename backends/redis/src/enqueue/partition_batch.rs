//! Storing the part of a batch that goes to one partition.

use longshore_core::wire::encode_new;
use longshore_core::{
    Enqueued, GroupName, IdOrigin, MessageId, NewMessage, QueueName, QueueSettings, Result,
};
use uuid::Uuid;

use crate::connection::call::Call;
use crate::connection::reply::Reply;
use crate::error::unexpected_reply;
use crate::layout::row::{id_bytes, lane_text};
use crate::scripts::{self, Script};
use crate::store::{RedisStore, observe_time};

/// Bodies over this lie in a key of their own: through a script they would cost too much.
pub(crate) const LARGE: usize = 16 * 1024;

/// The part of a batch that goes to one partition.
pub(crate) struct PartitionBatch {
    pub(crate) partition: u16,
    /// The number of the call.
    pub(crate) number: u64,
    /// Whether it may have been sent before.
    pub(crate) is_repeat: bool,
    /// Positions in the batch.
    pub(crate) places: Vec<usize>,
}

impl RedisStore {
    pub(crate) async fn enqueue_in_partition(
        &self,
        queue: &QueueName,
        part: &PartitionBatch,
        batch: &[NewMessage],
        settings: &QueueSettings,
    ) -> Result<Vec<Enqueued>> {
        let messages = || part.places.iter().map(|place| &batch[*place]);
        if settings.depth_max.is_none() && messages().all(is_simple) {
            let grouped = messages().any(|new| new.group.is_some());
            if !grouped && self.takes_direct_path(queue, part) {
                return self.enqueue_direct(queue, part, batch, settings).await;
            }
            let done = if grouped {
                self.enqueue_grouped(queue, part, batch, settings).await?
            } else {
                self.enqueue_plain(queue, part, batch, settings).await?
            };
            if let Some(done) = done {
                if !grouped {
                    self.prepare_direct(queue, part).await;
                }
                return Ok(done);
            }
        }
        self.enqueue_general(queue, part, batch, settings).await
    }

    /// The fast path for messages that need nothing but a place in the stream.
    async fn enqueue_plain(
        &self,
        queue: &QueueName,
        part: &PartitionBatch,
        batch: &[NewMessage],
        settings: &QueueSettings,
    ) -> Result<Option<Vec<Enqueued>>> {
        let names = ["c", "s0", "s1", "s2", "w", "pr", "z"];
        let mut call = self.fast_call(&scripts::ENQUEUE_PLAIN, queue, part, &names);
        let (now, mut head) = (self.time.now(), Vec::new());
        for new in part.places.iter().map(|place| &batch[*place]) {
            encode_new(new, now, settings.expires(), &mut head);
            call.arg(lane_text(new.lane))
                .arg(&id_bytes(new.id)[..])
                .arg(&head)
                .arg(new.body.as_ref());
        }
        self.run_fast(queue, part, &call).await
    }

    /// The fast path where some have groups, and nothing else that needs more than a place.
    async fn enqueue_grouped(
        &self,
        queue: &QueueName,
        part: &PartitionBatch,
        batch: &[NewMessage],
        settings: &QueueSettings,
    ) -> Result<Option<Vec<Enqueued>>> {
        let names = ["c", "s0", "s1", "s2", "w", "pr", "z", "b", "gw", "ga"];
        let mut call = self.fast_call(&scripts::ENQUEUE_GROUPED, queue, part, &names);
        let (now, mut head) = (self.time.now(), Vec::new());
        for new in part.places.iter().map(|place| &batch[*place]) {
            encode_new(new, now, settings.expires(), &mut head);
            call.arg(lane_text(new.lane))
                .arg(new.group.as_ref().map_or("", GroupName::as_str))
                .arg(&id_bytes(new.id)[..])
                .arg(&head)
                .arg(new.body.as_ref());
        }
        self.run_fast(queue, part, &call).await
    }

    /// The call of a fast path, whose sixth key is the producer's.
    fn fast_call(
        &self,
        script: &'static Script,
        queue: &QueueName,
        part: &PartitionBatch,
        names: &[&str],
    ) -> Call {
        let mut keys = self.keys.some(queue, part.partition, names);
        keys[5] = self.keys.producer(queue, part.partition, &self.producer);
        let mut call = Call::new("enqueue", script, keys);
        call.arg(self.time.argument())
            .arg(queue.as_str())
            .arg(part.number)
            .arg(if part.is_repeat { "r" } else { "" });
        call
    }

    /// Runs a fast path. `None` where rows are due that go first.
    async fn run_fast(
        &self,
        queue: &QueueName,
        part: &PartitionBatch,
        call: &Call,
    ) -> Result<Option<Vec<Enqueued>>> {
        let reply = self.session.run_durably(call).await?;
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
        observe_time(self, now)?;
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

/// Whether it needs nothing but a place, in a stream or behind the head of its group.
fn is_simple(new: &NewMessage) -> bool {
    new.due.is_none()
        && new.dedup.is_none()
        && new.id_origin == IdOrigin::Fresh
        && new.body.len() <= LARGE
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
            return Err(unexpected_reply("enqueue", "an outcome is cut off"));
        };
        rest = after;
        let first = MessageId::from_uuid(Uuid::from_bytes(*id));
        read.push(Enqueued::Duplicate { first });
    }
    if read.len() == count {
        return Ok(read);
    }
    Err(unexpected_reply("enqueue", "there are too few outcomes"))
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
