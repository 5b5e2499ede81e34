//! The scripts, their text and their names in the server's cache.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use redis::Script as Text;

/// One script.
pub(crate) struct Script {
    text: Text,
    source: String,
}

impl Script {
    fn new(head: &str, parts: &[&str]) -> Self {
        let source = format!("{head}\n{NAMES}{}", parts.concat());
        Self {
            text: Text::new(&source),
            source,
        }
    }

    /// The name of the script in the cache of a server.
    pub(crate) fn hash(&self) -> &str {
        self.text.get_hash()
    }

    /// The commands that it may call.
    pub(crate) fn commands(&self) -> BTreeSet<String> {
        let calls = self.source.split("call('").skip(1);
        let names = calls.filter_map(|rest| rest.split('\'').next());
        names.map(str::to_ascii_lowercase).collect()
    }

    /// The whole text.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }
}

/// Refused as a whole when the server is out of memory.
const GROWS: &str = "#!lua";
/// Allowed when the server is out of memory: it must be possible to empty a full queue.
const DRAINS: &str = "#!lua flags=allow-oom";
/// Writes nothing; may run on a replica.
const READS: &str = "#!lua flags=no-writes,allow-stale";

/// What every script begins with.
const NAMES: &str = "local call, fmt = redis.call, string.format\n";

/// A piece that several scripts share.
macro_rules! lib {
    ($($file:literal),+) => { concat!($(include_str!(concat!("scripts/lib/", $file))),+) };
}

const CLOCK: &str = lib!("clock.lua");
const CLOCK_AND_WAKE: &str = lib!("clock.lua", "wake.lua");
/// What works on the epochs of an aggregate: it wants all of its keys.
const EPOCHS: &str = lib!("clock.lua", "epochs.lua");
const IN_RUNS: &str = lib!("in_runs.lua");
/// What works on rows, groups and segments of a partition: it wants all of its keys.
const PARTITION: &str = lib!(
    "keys.lua",
    "rows.lua",
    "groups.lua",
    "runs.lua",
    "endings.lua"
);

macro_rules! scripts {
    ($($name:ident: $head:ident, [$($lib:ident),*], $file:literal;)*) => {$(
        pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new($head, &[$($lib,)* include_str!(concat!("scripts/", $file))])
        });
    )*};
}

scripts! {
    ENQUEUE: GROWS, [CLOCK_AND_WAKE, PARTITION], "enqueue.lua";
    SETTLE: DRAINS, [CLOCK_AND_WAKE, PARTITION], "settle.lua";
    EXTEND: DRAINS, [CLOCK_AND_WAKE, PARTITION], "extend.lua";
    CHANGE: DRAINS, [CLOCK_AND_WAKE, PARTITION], "change.lua";
    PURGE: DRAINS, [CLOCK_AND_WAKE, PARTITION], "purge.lua";
    DEAD: DRAINS, [CLOCK_AND_WAKE, PARTITION], "dead.lua";
    ADOPT: GROWS, [CLOCK_AND_WAKE, PARTITION], "adopt.lua";
    CONTROL: DRAINS, [CLOCK_AND_WAKE, PARTITION], "control.lua";
    DELETE: DRAINS, [CLOCK_AND_WAKE, PARTITION], "delete.lua";
    STATS: READS, [CLOCK_AND_WAKE, PARTITION], "stats.lua";
    FIND: READS, [CLOCK_AND_WAKE, PARTITION], "find.lua";
    PAGE: READS, [CLOCK_AND_WAKE, PARTITION], "page.lua";

    RECEIVE_DIRECT: DRAINS, [CLOCK], "receive_direct.lua";
    ENQUEUE_PLAIN: GROWS, [CLOCK_AND_WAKE], "enqueue_plain.lua";
    ENQUEUE_GROUPED: GROWS, [CLOCK_AND_WAKE], "enqueue_grouped.lua";
    ACK: DRAINS, [IN_RUNS], "ack.lua";
    ACK_GROUPED: DRAINS, [CLOCK_AND_WAKE, IN_RUNS], "ack_grouped.lua";
    LEASE: DRAINS, [CLOCK], "lease.lua";
    AGGREGATE_APPEND: GROWS, [EPOCHS], "aggregate_append.lua";
    AGGREGATE_TURN: DRAINS, [EPOCHS], "aggregate_turn.lua";
    AGGREGATE_SETTLE: DRAINS, [EPOCHS], "aggregate_settle.lua";
    AGGREGATE_READ: READS, [EPOCHS], "aggregate_read.lua";
    ANNOUNCE: DRAINS, [CLOCK], "announce.lua";
    CONFIGURE: DRAINS, [], "configure.lua";
}

/// Tries the fast path before it defines what the general one needs.
pub(crate) static RECEIVE: LazyLock<Script> = LazyLock::new(|| {
    let fast = include_str!("scripts/receive_fast.lua");
    let general = include_str!("scripts/receive.lua");
    Script::new(DRAINS, &[CLOCK_AND_WAKE, fast, PARTITION, general])
});

/// The fast path first, too. What would grow is refused beside it, in the same transaction.
pub(crate) static ENQUEUE_DIRECT: LazyLock<Script> = LazyLock::new(|| {
    let fast = include_str!("scripts/enqueue_direct.lua");
    let due = include_str!("scripts/enqueue_direct_due.lua");
    Script::new(DRAINS, &[CLOCK_AND_WAKE, fast, PARTITION, due])
});
