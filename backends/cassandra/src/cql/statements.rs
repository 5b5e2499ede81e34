//! The statements of this store, prepared once for each connection of a process.

use longshore_core::Result;
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency, SerialConsistency};

use crate::cql::driver::Driver;
use crate::error::unprepared;

/// How a statement is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Local quorum; repeating it changes nothing.
    Plain,
    /// A lightweight transaction: never repeated by the driver.
    Lwt,
    /// A read that finishes transactions in flight.
    Serial,
}

macro_rules! statements {
    ($($name:ident: $way:ident $cql:expr,)*) => {
        /// All prepared statements.
        #[derive(Debug)]
        pub(crate) struct Statements {
            $(pub(crate) $name: PreparedStatement,)*
        }

        /// All of them as they stand.
        #[cfg(test)]
        fn all() -> Vec<(&'static str, Way, String)> {
            vec![$((stringify!($name), Way::$way, $cql),)*]
        }

        impl Statements {
            /// Prepares all of them.
            pub(crate) async fn prepare(driver: &Driver, keyspace: &str) -> Result<Self> {
                Ok(Self {
                    $($name: prepare(driver, Way::$way, &$cql.replace("KS.", &format!("{keyspace}."))).await?,)*
                })
            }
        }
    };
}

async fn prepare(driver: &Driver, way: Way, cql: &str) -> Result<PreparedStatement> {
    let mut prepared = driver.prepare(cql).await.map_err(unprepared)?;
    prepared.set_consistency(Consistency::LocalQuorum);
    prepared.set_serial_consistency(Some(SerialConsistency::LocalSerial));
    match way {
        Way::Plain => prepared.set_is_idempotent(true),
        Way::Lwt => prepared.set_is_idempotent(false),
        Way::Serial => prepared.set_consistency(Consistency::LocalSerial),
    }
    Ok(prepared)
}

const BUCKET: &str = "queue = ? AND cell = ? AND shard = ? AND kind = ? AND bucket = ?";
const LOG: &str = "aggregate = ? AND cell = ? AND shard = ?";
const STREAM: &str = "queue = ? AND cell = ? AND shard = ? AND kind = ?";
const MESSAGE: &str = "pos, msg_id, revision, prio, grp, due_ms, seq, head, body, start";

statements! {
    put_message: Plain format!("INSERT INTO KS.message (queue, cell, shard, kind, bucket, {MESSAGE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    messages: Plain format!("SELECT {MESSAGE} FROM KS.message WHERE {BUCKET} AND (pos, msg_id) >= (?, ?) LIMIT ?"),
    positions: Plain format!("SELECT pos, msg_id FROM KS.message WHERE {BUCKET} AND (pos, msg_id) >= (?, ?) LIMIT ?"),
    message: Plain format!("SELECT {MESSAGE} FROM KS.message WHERE {BUCKET} AND pos = ? AND msg_id = ?"),
    put_event: Plain "INSERT INTO KS.message_event (queue, cell, shard, kind, bucket, pos, msg_id, serial, what, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)".to_owned(),
    events: Plain format!("SELECT pos, msg_id, serial, what, detail FROM KS.message_event WHERE {BUCKET} AND (pos, msg_id, serial, what) >= (?, ?, ?, ?) LIMIT ?"),
    events_of: Plain format!("SELECT pos, msg_id, serial, what, detail FROM KS.message_event WHERE {BUCKET} AND pos = ? AND msg_id = ?"),
    register: Plain "INSERT INTO KS.stream_bucket (queue, cell, shard, kind, bucket) VALUES (?, ?, ?, ?, ?)".to_owned(),
    buckets: Plain format!("SELECT bucket, done, watermark FROM KS.stream_bucket WHERE {STREAM} AND bucket >= ?"),
    note_watermark: Plain format!("UPDATE KS.stream_bucket SET watermark = ? WHERE {BUCKET}"),
    set_done: Plain "INSERT INTO KS.stream_bucket (queue, cell, shard, kind, bucket, done) VALUES (?, ?, ?, ?, ?, true)".to_owned(),
    delete_messages: Plain format!("DELETE FROM KS.message WHERE {BUCKET}"),
    delete_events: Plain format!("DELETE FROM KS.message_event WHERE {BUCKET}"),
    forget_buckets: Plain format!("DELETE FROM KS.stream_bucket WHERE {STREAM} AND bucket < ?"),
    marks: Plain format!("SELECT closed_to, done_to FROM KS.stream_mark WHERE {STREAM}"),
    first_marks: Lwt "INSERT INTO KS.stream_mark (queue, cell, shard, kind, closed_to, done_to) VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS".to_owned(),
    raise_closed: Lwt format!("UPDATE KS.stream_mark SET closed_to = ? WHERE {STREAM} IF closed_to < ?"),
    raise_done: Lwt format!("UPDATE KS.stream_mark SET done_to = ? WHERE {STREAM} IF done_to < ?"),
    owner: Serial "SELECT owner, epoch FROM KS.stripe_owner WHERE cell = ? AND stripe = ?".to_owned(),
    seen_owner: Plain "SELECT owner, epoch FROM KS.stripe_owner WHERE cell = ? AND stripe = ?".to_owned(),
    first_owner: Lwt "INSERT INTO KS.stripe_owner (cell, stripe, owner, epoch) VALUES (?, ?, ?, ?) IF NOT EXISTS".to_owned(),
    next_owner: Lwt "UPDATE KS.stripe_owner SET owner = ?, epoch = ? WHERE cell = ? AND stripe = ? IF epoch = ?".to_owned(),
    first_beat: Lwt "INSERT INTO KS.member (cell, process, beat, state) VALUES (?, ?, ?, 'up') IF NOT EXISTS".to_owned(),
    next_beat: Lwt "UPDATE KS.member SET beat = ? WHERE cell = ? AND process = ? IF state = 'up'".to_owned(),
    heartbeat: Plain "SELECT beat, state FROM KS.member WHERE cell = ? AND process = ?".to_owned(),
    declare_dead: Lwt "UPDATE KS.member SET state = 'dead' WHERE cell = ? AND process = ? IF beat = ?".to_owned(),
    ring: Plain "INSERT INTO KS.doorbell (cell, doorbell, queue, shard, kind, what, bucket, token_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)".to_owned(),
    notifications: Plain "SELECT queue, shard, kind, what, bucket, token_id FROM KS.doorbell WHERE cell = ? AND doorbell = ?".to_owned(),
    queue: Plain "SELECT queue, shards, version, settings, pause, moving FROM KS.queue_def WHERE cell = ? AND name = ?".to_owned(),
    queue_serial: Serial "SELECT queue, shards, version, settings, pause, moving FROM KS.queue_def WHERE cell = ? AND name = ?".to_owned(),
    queues: Plain "SELECT name, settings FROM KS.queue_def WHERE cell = ? AND name > ? LIMIT ?".to_owned(),
    create_queue: Lwt "INSERT INTO KS.queue_def (cell, name, queue, shards, version) VALUES (?, ?, ?, ?, 1) IF NOT EXISTS".to_owned(),
    change_queue: Lwt "UPDATE KS.queue_def SET version = ?, settings = ?, pause = ?, moving = ? WHERE cell = ? AND name = ? IF version = ?".to_owned(),
    claim_key: Lwt "INSERT INTO KS.dedup (queue, cell, scope, first, until_ms, since_ms) VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS USING TTL ?".to_owned(),
    key: Serial "SELECT first, until_ms, since_ms FROM KS.dedup WHERE queue = ? AND cell = ? AND scope = ?".to_owned(),
    take_key: Lwt "UPDATE KS.dedup USING TTL ? SET first = ?, until_ms = ?, since_ms = ? WHERE queue = ? AND cell = ? AND scope = ? IF first = ? AND until_ms = ?".to_owned(),
    forget_key: Lwt "DELETE FROM KS.dedup WHERE queue = ? AND cell = ? AND scope = ? IF first = ?".to_owned(),
    key_stored: Plain "INSERT INTO KS.dedup_stored (queue, cell, scope, msg_id, since_ms) VALUES (?, ?, ?, ?, ?) USING TTL ?".to_owned(),
    key_stored_since: Plain "SELECT since_ms FROM KS.dedup_stored WHERE queue = ? AND cell = ? AND scope = ? AND msg_id = ?".to_owned(),
    lease: Plain "SELECT holder, epoch, until_ms FROM KS.named_lease WHERE cell = ? AND name = ? LIMIT 1".to_owned(),
    lease_serial: Serial "SELECT holder, epoch, until_ms FROM KS.named_lease WHERE cell = ? AND name = ? LIMIT 1".to_owned(),
    first_lease: Lwt "INSERT INTO KS.named_lease (cell, name, holder, epoch, until_ms) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS".to_owned(),
    next_lease: Lwt "UPDATE KS.named_lease SET holder = ?, epoch = ?, until_ms = ? WHERE cell = ? AND name = ? IF epoch = ? AND until_ms = ? AND holder = ?".to_owned(),
    progress: Plain "SELECT value, keep_ms FROM KS.named_lease WHERE cell = ? AND name = ? AND key = ?".to_owned(),
    progress_page: Plain "SELECT key, value, keep_ms FROM KS.named_lease WHERE cell = ? AND name = ? AND key > ? LIMIT ?".to_owned(),
    fence_lease: Lwt "UPDATE KS.named_lease SET epoch = ? WHERE cell = ? AND name = ? IF epoch = ? AND holder = ? AND until_ms > ?".to_owned(),
    put_progress: Lwt "INSERT INTO KS.named_lease (cell, name, key, value, keep_ms) VALUES (?, ?, ?, ?, ?) USING TTL ?".to_owned(),
    put_worker: Plain "INSERT INTO KS.worker (cell, id, info, until_ms) VALUES (?, ?, ?, ?) USING TTL ?".to_owned(),
    workers: Plain "SELECT id, info, until_ms FROM KS.worker WHERE cell = ?".to_owned(),
    aggregate: Plain "SELECT aggregate, generation, shards FROM KS.aggregate_def WHERE cell = ? AND name = ?".to_owned(),
    aggregate_serial: Serial "SELECT aggregate, generation, shards FROM KS.aggregate_def WHERE cell = ? AND name = ?".to_owned(),
    aggregates: Plain "SELECT name, aggregate, generation, shards FROM KS.aggregate_def WHERE cell = ? AND name > ? LIMIT ?".to_owned(),
    create_aggregate: Lwt "INSERT INTO KS.aggregate_def (cell, name, aggregate, generation, shards) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS".to_owned(),
    log_head: Plain format!("SELECT seq, record, snapshot FROM KS.aggregate_head WHERE {LOG}"),
    log_head_serial: Serial format!("SELECT seq, record, snapshot FROM KS.aggregate_head WHERE {LOG}"),
    first_log_head: Lwt "INSERT INTO KS.aggregate_head (aggregate, cell, shard, seq, record, snapshot) VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS".to_owned(),
    next_log_head: Lwt format!("UPDATE KS.aggregate_head SET seq = ?, record = ?, snapshot = ? WHERE {LOG} IF seq = ? AND record = ?"),
    put_record: Plain "INSERT INTO KS.aggregate_record (aggregate, cell, shard, page, seq, record, body) VALUES (?, ?, ?, ?, ?, ?, ?)".to_owned(),
    records: Plain format!("SELECT seq, record, body FROM KS.aggregate_record WHERE {LOG} AND page = ? AND seq >= ?"),
    put_part: Plain "INSERT INTO KS.aggregate_part (aggregate, cell, shard, page, seq, record, number, head, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)".to_owned(),
    parts: Plain format!("SELECT number, head, body FROM KS.aggregate_part WHERE {LOG} AND page = ? AND seq = ? AND record = ? AND number IN ?"),
    put_acknowledged: Plain "INSERT INTO KS.aggregate_acknowledged (aggregate, cell, shard, taker, upto) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?".to_owned(),
    acknowledged: Plain format!("SELECT taker, upto FROM KS.aggregate_acknowledged WHERE {LOG}"),
    cells: Plain "SELECT cell, dc FROM KS.cell WHERE name = 'cells'".to_owned(),
    delete_records: Plain format!("DELETE FROM KS.aggregate_record USING TIMESTAMP ? WHERE {LOG} AND page = ?"),
    delete_parts: Plain format!("DELETE FROM KS.aggregate_part USING TIMESTAMP ? WHERE {LOG} AND page = ?"),
    put_snapshot: Plain "INSERT INTO KS.aggregate_snapshot (aggregate, cell, shard, snapshot, piece, body) VALUES (?, ?, ?, ?, ?, ?)".to_owned(),
    snapshot: Plain format!("SELECT body FROM KS.aggregate_snapshot WHERE {LOG} AND snapshot = ?"),
    delete_snapshot: Plain format!("DELETE FROM KS.aggregate_snapshot USING TIMESTAMP ? WHERE {LOG} AND snapshot = ?"),
    server_time: Plain "SELECT toUnixTimestamp(now()) FROM system.local".to_owned(),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cql::schema::{self, Use};

    /// The table that a statement is about.
    fn table(cql: &str) -> &str {
        let behind = cql.split("KS.").nth(1).unwrap_or("system.local");
        let end = behind.find(|c: char| !c.is_ascii_lowercase() && c != '_');
        &behind[..end.unwrap_or(behind.len())]
    }

    /// A partition that both kinds of writes touch keeps neither promise; and what nodes count of
    /// these tables is the number of transactions only as long as no other table has any.
    #[test]
    fn tables_are_written_by_transactions_only_or_by_none() {
        let used: std::collections::HashMap<_, _> = schema::tables()
            .into_iter()
            .map(|it| (it.name, it.used))
            .collect();
        for (name, way, cql) in all() {
            let is_read = cql.starts_with("SELECT ");
            let is_transacted = used.get(table(&cql)) == Some(&Use::Marked);
            // The second half of a batch has no condition of its own.
            let is_conditional = cql.contains(" IF ") || name == "put_progress";
            assert_eq!(way == Way::Lwt, is_conditional, "{name}");
            assert_eq!(!is_read && is_transacted, way == Way::Lwt, "{name}");
            assert!(way != Way::Serial || (is_read && is_transacted), "{name}");
        }
    }

    #[test]
    fn no_statement_asks_the_servers_to_search() {
        for (name, _, cql) in all() {
            assert!(!cql.contains("ALLOW FILTERING"), "{name}");
            assert!(
                cql.contains(" WHERE ")
                    || cql.starts_with("INSERT ")
                    || cql.ends_with("system.local"),
                "{name}"
            );
        }
    }
}
