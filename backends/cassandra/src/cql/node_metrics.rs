//! What the nodes of a cluster count about the tables of this store.

use futures_util::future::try_join_all;
use longshore_core::{Result, ServerCounts};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy};
use scylla::response::query_result::QueryRowsResult;
use scylla::statement::{Consistency, Statement};
use scylla::value::{CqlValue, Row};
use uuid::Uuid;

use crate::cql::driver::Driver;
use crate::cql::schema::{self, Use};
use crate::error::{failed, unexpected_reply};

/// What all nodes count about the tables of a keyspace. The nodes keep it in tables of their own,
/// which each answers for itself.
pub(crate) async fn counts(driver: &Driver, keyspace: &str) -> Result<ServerCounts> {
    let state = driver.cluster();
    let nodes = state.get_nodes_info().iter().map(|node| node.host_id);
    let nodes: Vec<Uuid> = nodes.collect();
    let asked = nodes.iter().map(|node| of_node(driver, *node, keyspace));
    let mut all = ServerCounts::default();
    for counts in try_join_all(asked).await? {
        all.reads += counts.reads;
        all.writes += counts.writes;
        all.transactions += counts.transactions;
        all.tombstones_max = all.tombstones_max.max(counts.tombstones_max);
    }
    // A commit is written by every replica.
    let copies = nodes.len().clamp(1, 3) as u64;
    all.transactions /= copies;
    Ok(all)
}

/// Tables that nothing but lightweight transactions writes, and the only ones these write.
fn transacted() -> Vec<&'static str> {
    let tables = schema::tables().into_iter();
    let transacted = tables.filter(|it| it.used == Use::Marked);
    transacted.map(|it| it.name).collect()
}

async fn of_node(driver: &Driver, node: Uuid, keyspace: &str) -> Result<ServerCounts> {
    let mut counts = ServerCounts::default();
    let transacted = transacted();
    for (table, count) in view(driver, node, keyspace, "local_write_latency", "count").await? {
        counts.writes += count;
        if transacted.contains(&table.as_str()) {
            counts.transactions += count;
        }
    }
    for (_, count) in view(driver, node, keyspace, "local_read_latency", "count").await? {
        counts.reads += count;
    }
    for (_, most) in view(driver, node, keyspace, "tombstones_per_read", "max").await? {
        counts.tombstones_max = counts.tombstones_max.max(most);
    }
    Ok(counts)
}

/// A column of one of the tables that a node keeps about tables, by table.
async fn view(
    driver: &Driver,
    node: Uuid,
    keyspace: &str,
    view: &str,
    column: &str,
) -> Result<Vec<(String, u64)>> {
    let cql = format!("SELECT keyspace_name, table_name, {column} FROM system_views.{view}");
    let policy = SingleTargetLoadBalancingPolicy::new(NodeIdentifier::HostId(node), None);
    let profile = ExecutionProfile::builder().load_balancing_policy(policy);
    let mut statement = Statement::new(cql);
    statement.set_consistency(Consistency::One);
    statement.set_execution_profile_handle(Some(profile.build().into_handle()));
    let answer = driver.query(statement).await;
    let answer = answer.map_err(|error| failed("bench", error))?;
    let rows = answer
        .into_rows_result()
        .map_err(|error| unexpected_reply("bench", &error))?;
    numbers(&rows, keyspace)
}

fn numbers(rows: &QueryRowsResult, keyspace: &str) -> Result<Vec<(String, u64)>> {
    let read = rows
        .rows::<Row>()
        .map_err(|error| unexpected_reply("bench", &error))?;
    let mut numbers = Vec::new();
    for row in read {
        let row = row.map_err(|error| unexpected_reply("bench", &error))?;
        if let [
            Some(CqlValue::Text(of)),
            Some(CqlValue::Text(table)),
            Some(value),
        ] = row.columns.as_slice()
            && of == keyspace
            && !table.starts_with("floor_")
        {
            numbers.push((table.clone(), number(value)));
        }
    }
    Ok(numbers)
}

/// Nodes of different versions give the same number in different types.
fn number(value: &CqlValue) -> u64 {
    match value {
        CqlValue::BigInt(number) => u64::try_from(*number).unwrap_or_default(),
        CqlValue::Int(number) => u64::try_from(*number).unwrap_or_default(),
        CqlValue::Double(number) if *number > 0.0 => *number as u64,
        _ => 0,
    }
}
