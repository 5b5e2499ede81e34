//! What the nodes of the data centre say of themselves: releases, clocks, commit logs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use longshore_core::{Clock, Finding, Severity};
use scylla::cluster::Node;
use scylla::deserialize::row::DeserializeRow;
use scylla::policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy};
use scylla::statement::Consistency;
use scylla::statement::unprepared::Statement;

use crate::clock::HostClock;
use crate::cql::data_centre::COPIES;
use crate::cql::session::Link;

/// Clocks that are further apart are worth a word; those of messages are of two hosts.
const SKEW_SEEN_MS: i64 = 1000;

/// What one node said.
#[derive(Debug)]
pub(crate) struct Said {
    address: String,
    /// Its release; `None` if it did not answer.
    release: Option<String>,
    /// How far its clock is ahead of this host's at the least, in ms.
    ahead_ms: i64,
    /// When it answers a write: its `commitlog_sync`. `None` where this role may not read it.
    sync: Option<String>,
}

/// Asks each node of the data centre.
pub(crate) async fn ask(link: &Link) -> Vec<Said> {
    let state = link.driver.cluster();
    let here = state.get_nodes_info().iter();
    let here = here.filter(|node| node.datacenter.as_deref() == Some(&link.here.name));
    join_all(here.map(|node| ask_one(link, node))).await
}

async fn ask_one(link: &Link, node: &Arc<Node>) -> Said {
    let began = HostClock.now();
    let cql = "SELECT release_version, toUnixTimestamp(now()) FROM system.local";
    let answer = row_of::<(String, i64)>(link, node, cql).await;
    let round = HostClock.now().since(began);
    let middle = began.plus(round / 2).as_millis();
    let cql = "SELECT value FROM system_views.settings WHERE name = 'commitlog_sync'";
    let sync = row_of::<(Option<String>,)>(link, node, cql).await;
    let (release, at) = answer.map_or((None, middle), |(release, at)| (Some(release), at));
    Said {
        address: node.address.to_string(),
        release,
        ahead_ms: beyond(at - middle, round),
        sync: sync.and_then(|(value,)| value),
    }
}

/// What of a difference the time of the round trip cannot explain.
fn beyond(apart_ms: i64, round: Duration) -> i64 {
    let doubt = i64::try_from(round.as_millis() / 2).unwrap_or(i64::MAX);
    apart_ms.signum() * apart_ms.saturating_abs().saturating_sub(doubt).max(0)
}

/// The one row that a node answers; nothing if it does not.
async fn row_of<R>(link: &Link, node: &Arc<Node>, cql: &str) -> Option<R>
where
    R: for<'f> DeserializeRow<'f, 'f>,
{
    let mut ask = Statement::new(cql);
    ask.set_consistency(Consistency::One);
    ask.set_is_idempotent(true);
    let target = NodeIdentifier::Node(node.clone());
    ask.set_load_balancing_policy(Some(SingleTargetLoadBalancingPolicy::new(target, None)));
    let answer = link.driver.query(ask).await.ok()?;
    answer
        .into_rows_result()
        .ok()?
        .maybe_first_row::<R>()
        .ok()?
}

/// Which nodes answer, and what they run.
pub(crate) fn answering(link: &Link, nodes: &[Said]) -> Finding {
    let dc = &link.here.name;
    let up = nodes.iter().filter_map(|node| node.release.as_deref());
    let releases: BTreeSet<&str> = up.clone().collect();
    let listed = releases.iter().copied().collect::<Vec<_>>().join(", ");
    let silent = nodes.iter().filter(|node| node.release.is_none());
    let silent: Vec<_> = silent.map(|node| node.address.as_str()).collect();
    let all = nodes.len();
    if !silent.is_empty() {
        let found = format!(
            "{} of {all} nodes of {dc} answer; not {}",
            up.count(),
            silent.join(", ")
        );
        return Finding::new(Severity::Warning, "nodes", found)
            .fix("bring them back; while a second one is away nothing works");
    }
    let found = format!("{all} of {all} nodes of {dc} answer and run {listed}");
    if releases.len() > 1 {
        return Finding::new(Severity::Warning, "nodes", found)
            .fix("end the upgrade: all nodes should run one release");
    }
    Finding::new(Severity::Ok, "nodes", found)
}

/// What an acknowledged message survives.
pub(crate) fn durability(link: &Link, nodes: &[Said]) -> Finding {
    let copies = link.here.copies(&link.driver, &link.keyspace).unwrap_or(0);
    let quorum = copies / 2 + 1;
    let found =
        format!("copies of each message: {copies}; an acknowledged one is on {quorum} of them");
    if copies < COPIES {
        return Finding::new(
            Severity::Warning,
            "durability",
            format!("{found}; no node may be away"),
        )
        .fix(format!(
            "ALTER KEYSPACE {} WITH replication = {{'class': 'NetworkTopologyStrategy', '{}': \
             {COPIES}}}; with {COPIES} nodes at the least; then `nodetool repair --full` on each",
            link.keyspace, link.here.name
        ));
    }
    let syncs: BTreeSet<&str> = nodes.iter().filter_map(|it| it.sync.as_deref()).collect();
    let listed = syncs.iter().copied().collect::<Vec<_>>().join(", ");
    if syncs.contains("periodic") {
        let found = format!("{found}; commitlog_sync is {listed}: in memory for up to 10 s");
        return Finding::new(Severity::Warning, "durability", found).fix(
            "set commitlog_sync: group in cassandra.yaml of each node and restart one after the \
             other; until then a power cut may take acknowledged messages",
        );
    }
    if syncs.is_empty() {
        let found = format!(
            "{found}; whether it is on their disks cannot be read by this role \
             (system_views.settings)"
        );
        return Finding::new(Severity::Ok, "durability", found)
            .fix("see that commitlog_sync in cassandra.yaml is group or batch");
    }
    let found = format!("{found}, on their disks (commitlog_sync {listed})");
    Finding::new(Severity::Ok, "durability", found)
}

/// How far the clocks of the nodes and of this host are apart.
pub(crate) fn clocks(nodes: &[Said]) -> Finding {
    let answered = nodes.iter().filter(|node| node.release.is_some());
    // This host is one of those that are compared.
    let all = answered.map(|node| node.ahead_ms).chain([0]);
    let (least, most) = all.fold((0, 0), |(least, most), ahead| {
        (ahead.min(least), ahead.max(most))
    });
    let apart = most - least;
    let found = format!("those of this host and of the nodes are within {apart} ms");
    let limit = crate::cql::connect::SKEW_MAX;
    let span = Duration::from_millis(apart.unsigned_abs());
    if span > limit {
        let found = format!("{found}; beyond {limit:?} messages come late");
        return Finding::new(Severity::Problem, "clocks", found).fix("set all clocks by NTP");
    }
    if apart > SKEW_SEEN_MS {
        return Finding::new(Severity::Warning, "clocks", found).fix("set all clocks by NTP");
    }
    Finding::new(Severity::Ok, "clocks", found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_slow_answer_explains_is_no_skew() {
        let round = Duration::from_millis(400);
        assert_eq!(beyond(-150, round), 0);
        assert_eq!(beyond(1200, round), 1000);
        assert_eq!(beyond(-1200, round), -1000);
    }
}
