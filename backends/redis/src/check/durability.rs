//! What an acknowledgement survives, as the server is set up.

use std::collections::HashMap;

use longshore_core::{Finding, Severity};

use crate::check::{connected, get, get_of};
use crate::config::AckLevel;
use crate::connection::waits::Waits;

pub(super) fn durability(
    ack: AckLevel,
    waits: Option<Waits>,
    info: &HashMap<String, String>,
    config: Option<&HashMap<String, String>>,
) -> Finding {
    let is_suspended = get_of(config, "no-appendfsync-on-rewrite") == "yes";
    if waits == Some(Waits::Disk) {
        return waited_for(get_of(config, "appendfsync"), is_suspended);
    }
    if ack == AckLevel::Fsync && is_suspended {
        let found = "while the server rewrites its append-only file or saves a snapshot it syncs \
                     nothing: an acknowledged enqueue is in its memory only";
        return Finding::new(Severity::Problem, "durability", found)
            .fix("CONFIG SET no-appendfsync-on-rewrite no");
    }
    let says = meaning(ack, get(info, "aof_enabled") == "1", config);
    let severity = match ack {
        AckLevel::Memory => Severity::Warning,
        AckLevel::Fsync | AckLevel::Replicas(_) => Severity::Ok,
    };
    let finding = Finding::new(severity, "durability", says);
    match ack {
        AckLevel::Memory => finding.fix(stronger(info, config)),
        AckLevel::Fsync | AckLevel::Replicas(_) => finding,
    }
}

/// The same where each enqueue waits for the disk.
fn waited_for(fsync: &str, is_suspended: bool) -> Finding {
    let found = "an acknowledged enqueue is on the server's disk; a failover can still lose it";
    if is_suspended {
        let found = format!(
            "{found}; while the server rewrites its file or saves a snapshot enqueues wait for that, \
             and fail with unknown effect where it takes too long"
        );
        return Finding::new(Severity::Warning, "durability", found)
            .fix("CONFIG SET no-appendfsync-on-rewrite no");
    }
    let found = match fsync {
        "everysec" => {
            format!("{found}; each enqueue waits up to a second for that (appendfsync everysec)")
        }
        _ => found.to_owned(),
    };
    Finding::new(Severity::Ok, "durability", found)
}

/// How an acknowledgement gets to mean more here: what the server would refuse is not proposed.
fn stronger(
    info: &HashMap<String, String>,
    config: Option<&HashMap<String, String>>,
) -> &'static str {
    let syncs = get_of(config, "appendfsync") == "always"
        && get_of(config, "appendonly") == "yes"
        && get_of(config, "no-appendfsync-on-rewrite") != "yes";
    let waits = get_of(config, "appendonly") == "yes"
        && get_of(config, "appendfsync") != "no"
        && knows_waitaof(info);
    match (syncs || waits, connected(info)) {
        (true, _) => "append ?ack=fsync to the URL",
        (false, 1..) => "append ?ack=replicas:1 to the URL",
        (false, 0) => {
            "set appendonly yes, appendfsync always and no-appendfsync-on-rewrite no on the server \
             and append ?ack=fsync to the URL, or start a replica and append ?ack=replicas:1"
        }
    }
}

/// From Redis 7.2 on; Valkey tells the version of Redis that it is like.
fn knows_waitaof(info: &HashMap<String, String>) -> bool {
    let mut parts = get(info, "redis_version").split('.');
    let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok());
    (next().unwrap_or(0), next().unwrap_or(0)) >= (7, 2)
}

/// What an acknowledged enqueue means on this server, in one sentence.
pub(super) fn meaning(
    ack: AckLevel,
    aof: bool,
    config: Option<&HashMap<String, String>>,
) -> String {
    let fsync = get_of(config, "appendfsync");
    match (ack, aof, fsync) {
        (AckLevel::Replicas(n), _, _) => format!(
            "an acknowledged enqueue is in the memory of the primary and of {n} replica(s); it \
             survives the loss of the primary where one of those is promoted"
        ),
        (AckLevel::Fsync, _, _) | (_, true, "always") => {
            "an acknowledged enqueue is on the server's disk; a failover can still lose it".into()
        }
        (AckLevel::Memory, true, _) => {
            "an acknowledged enqueue survives the end of the server but for its last 1 to 2 seconds"
                .into()
        }
        (AckLevel::Memory, false, _) => {
            "an acknowledged enqueue is in the server's memory only: it is lost when the server \
             ends between two snapshots"
                .into()
        }
    }
}
