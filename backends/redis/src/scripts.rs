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
        let source = format!("{head}\n{}", parts.concat());
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

const SHARED: &str = include_str!("scripts/shared.lua");

macro_rules! alone {
    ($($name:ident: $head:ident, $file:literal;)*) => {$(
        pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new($head, &[include_str!(concat!("scripts/", $file))])
        });
    )*};
}

macro_rules! with_shared {
    ($($name:ident: $head:ident, $file:literal;)*) => {$(
        pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new($head, &[SHARED, include_str!(concat!("scripts/", $file))])
        });
    )*};
}

with_shared! {
    ENQUEUE: GROWS, "enqueue.lua";
    SETTLE: DRAINS, "settle.lua";
    EXTEND: DRAINS, "extend.lua";
    CHANGE: DRAINS, "change.lua";
    PURGE: DRAINS, "purge.lua";
    DEAD: DRAINS, "dead.lua";
    ADOPT: GROWS, "adopt.lua";
    CONTROL: DRAINS, "control.lua";
    DELETE: DRAINS, "delete.lua";
    STATS: READS, "stats.lua";
    FIND: READS, "find.lua";
    PAGE: READS, "page.lua";
}

/// Tries the fast path before it reads the long one.
pub(crate) static RECEIVE: LazyLock<Script> = LazyLock::new(|| {
    let fast = include_str!("scripts/receive_fast.lua");
    Script::new(DRAINS, &[fast, SHARED, include_str!("scripts/receive.lua")])
});

/// The fast path first, too. What would grow is refused beside it, in the same transaction.
pub(crate) static ENQUEUE_DIRECT: LazyLock<Script> = LazyLock::new(|| {
    let fast = include_str!("scripts/enqueue_direct.lua");
    let due = include_str!("scripts/enqueue_direct_due.lua");
    Script::new(DRAINS, &[fast, SHARED, due])
});

alone! {
    RECEIVE_DIRECT: DRAINS, "receive_direct.lua";
    ENQUEUE_PLAIN: GROWS, "enqueue_plain.lua";
    ENQUEUE_GROUPED: GROWS, "enqueue_grouped.lua";
    ACK: DRAINS, "ack.lua";
    ACK_GROUPED: DRAINS, "ack_grouped.lua";
    LEASE: DRAINS, "lease.lua";
    ANNOUNCE: DRAINS, "announce.lua";
    CONFIGURE: DRAINS, "configure.lua";
}
