//! Storing messages by the general path, for whatever they may have: a delay, a given id, a dedup
//! key, a large body, a bound on the depth.

use longshore_core::wire::encode_new;
use longshore_core::{
    Dedup, Enqueued, GroupName, IdOrigin, NewMessage, QueueName, QueueSettings, Result,
    StoreErrorKind, Timestamp,
};
use redis::Pipeline;

use crate::connection::call::Call;
use crate::enqueue::partition_batch::{LARGE, PartitionBatch};
use crate::layout::row::{id_bytes, lane_text};
use crate::scripts;
use crate::store::RedisStore;

/// A large body whose message never came is gone after this long.
const ORPHAN_S: u64 = 3600;

impl RedisStore {
    /// The general path, for whatever a message may have.
    pub(crate) async fn enqueue_general(
        &self,
        queue: &QueueName,
        part: &PartitionBatch,
        batch: &[NewMessage],
        settings: &QueueSettings,
    ) -> Result<Vec<Enqueued>> {
        let mut call = self.call("enqueue", &scripts::ENQUEUE, queue, part.partition);
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
            self.session.bulk("enqueue", &bodies, &key).await?;
        }
        let reply = self.session.run_durably(&call).await;
        let reply = reply.map_err(|error| match settings.depth_max {
            // What is full is the share of one partition.
            Some(max) if share > 1 && error.kind() == StoreErrorKind::Overloaded => error
                .with("partition", part.partition)
                .with("its share of depth_max", max.div_ceil(share)),
            _ => error,
        })?;
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
