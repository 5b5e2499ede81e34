//! Storing many plain messages by bare commands: a body that passes through a script costs the
//! server more than storing it.

use longshore_core::wire::encode_new;
use longshore_core::{Enqueued, NewMessage, QueueName, QueueSettings, Result};
use redis::Cmd;

use crate::connection::transaction::Transaction;
use crate::enqueue::partition_batch::PartitionBatch;
use crate::layout::row::{id_bytes, lane_text};
use crate::scripts;
use crate::store::RedisStore;

/// A transaction costs as much as this many messages in a script.
const FEW: usize = 4;

impl RedisStore {
    /// Whether a batch of plain messages goes to its partition by bare commands.
    ///
    /// Not where each enqueue waits for replicas, nor on a cluster, whose driver may send a call
    /// twice: both want a script that tells a repeat.
    pub(crate) fn takes_direct_path(&self, queue: &QueueName, part: &PartitionBatch) -> bool {
        if part.places.len() < FEW || part.is_repeat {
            return false;
        }
        self.direct_gate.is_open(queue, part.partition)
    }

    /// Prepares the next batch, after a script stored one there.
    pub(crate) async fn prepare_direct(&self, queue: &QueueName, part: &PartitionBatch) {
        let is_waited_for = self.session.waits().is_some();
        if part.places.len() < FEW || self.repeats || is_waited_for || self.direct_gate.is_denied()
        {
            return;
        }
        // What is stored is stored: should this fail, the next batch goes through a script too.
        let Ok(allowed) = self.ready_direct(queue, part.partition).await else {
            return;
        };
        self.direct_gate.note(queue, part.partition, allowed);
    }

    async fn ready_direct(&self, queue: &QueueName, partition: u16) -> Result<bool> {
        let key = self.keys.any(queue, partition);
        let allowed = self.session.allows_transactions("enqueue", &key).await?;
        if allowed {
            self.session.load(&[&scripts::ENQUEUE_DIRECT]).await?;
        }
        Ok(allowed)
    }

    pub(crate) async fn enqueue_direct(
        &self,
        queue: &QueueName,
        part: &PartitionBatch,
        batch: &[NewMessage],
        settings: &QueueSettings,
    ) -> Result<Vec<Enqueued>> {
        let done = self.send_direct(queue, part, batch, settings).await;
        if done.is_err() {
            // Whatever it was, a script looks first.
            self.direct_gate.forget();
        }
        done
    }

    async fn send_direct(
        &self,
        queue: &QueueName,
        part: &PartitionBatch,
        batch: &[NewMessage],
        settings: &QueueSettings,
    ) -> Result<Vec<Enqueued>> {
        let messages = || part.places.iter().map(|place| &batch[*place]);
        let mut call = self.call("enqueue", &scripts::ENQUEUE_DIRECT, queue, part.partition);
        call.key(self.keys.producer(queue, part.partition, &self.producer));
        let mut lanes: Vec<&str> = messages().map(|new| lane_text(new.lane)).collect();
        lanes.sort_unstable();
        lanes.dedup();
        call.arg(queue.as_str())
            .arg(part.number)
            .arg(part.places.len())
            .arg(lanes.concat());
        let streams = self.keys.some(queue, part.partition, &["s0", "s1", "s2"]);
        let mut transaction = Transaction::new(&call, part.places.len());
        let (now, mut head) = (self.time.now(), Vec::new());
        for new in messages() {
            encode_new(new, now, settings.expires(), &mut head);
            transaction.add(added(&streams[usize::from(new.lane.number())], new, &head));
        }
        let reply = self.session.run_transaction(transaction).await?;
        self.read_outcomes(queue, reply, part.places.len()).await
    }
}

fn added(stream: &str, new: &NewMessage, head: &[u8]) -> Cmd {
    let size = stream.len() + head.len() + new.body.len() + 32;
    let mut add = Cmd::with_capacity(9, size);
    add.arg("XADD").arg(stream).arg("*");
    add.arg("i").arg(&id_bytes(new.id)[..]);
    add.arg("h").arg(head).arg("b").arg(new.body.as_ref());
    add
}
