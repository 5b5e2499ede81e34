//! How the tables are set, and when they were repaired.

use std::collections::HashMap;

use longshore_core::{Clock, Finding, Severity};
use scylla::deserialize::row::DeserializeRow;
use scylla::statement::Consistency;
use scylla::statement::unprepared::Statement;
use scylla::value::CqlTimestamp;

use crate::clock::HostClock;
use crate::cql::migrate::release;
use crate::cql::schema::{self, Compaction, INSERTED_GRACE_S, Table};
use crate::cql::session::Link;

/// A hint lives for three hours, and no longer than a tombstone of its table.
const GRACE_MIN_S: i32 = 3 * 3600;

/// Tables that nobody repairs for so long may show again what was deleted.
const REPAIR_WITHIN_MS: i64 = 10 * 86_400 * 1000;

/// A table as the servers have it.
type Columns = (
    String,
    Option<HashMap<String, String>>,
    Option<i32>,
    Option<i32>,
    Option<String>,
);

async fn rows_of<R>(link: &Link, cql: String) -> Option<Vec<R>>
where
    R: for<'f> DeserializeRow<'f, 'f>,
{
    let mut ask = Statement::new(cql);
    ask.set_consistency(Consistency::One);
    ask.set_is_idempotent(true);
    let answer = link.driver.query(ask).await.ok()?;
    let rows = answer.into_rows_result().ok()?;
    rows.rows::<R>().ok()?.collect::<Result<Vec<_>, _>>().ok()
}

/// What of the tables is not as it should be, each with the statement that mends it.
pub(crate) async fn settings(link: &Link) -> Vec<Finding> {
    let ks = &link.keyspace;
    let cql = format!(
        "SELECT table_name, compaction, gc_grace_seconds, default_time_to_live, read_repair \
         FROM system_schema.tables WHERE keyspace_name = '{ks}'"
    );
    let (Some(rows), Ok(release)) = (
        rows_of::<Columns>(link, cql).await,
        release(&link.driver).await,
    ) else {
        let found = "their settings cannot be read";
        return vec![
            Finding::new(Severity::Warning, "tables", found)
                .fix("let this role read system_schema.tables"),
        ];
    };
    let compaction = Compaction::of(&release);
    let mut found = Vec::new();
    for table in schema::tables() {
        if let Some(row) = rows.iter().find(|row| row.0 == table.name) {
            found.extend(of_table(ks, &table, row, compaction));
        }
    }
    if found.is_empty() {
        let words = format!(
            "version {}; compaction, tombstones and read repair are as they should be",
            schema::VERSION
        );
        found.push(Finding::new(Severity::Ok, "tables", words));
    }
    found
}

fn of_table(ks: &str, table: &Table, row: &Columns, compaction: Compaction) -> Vec<Finding> {
    let (name, compacted, grace, ttl, read_repair) = row;
    let mut found = Vec::new();
    let mut add = |severity, words: String, option: &str| {
        let fix = format!("ALTER TABLE {ks}.{name} WITH {option};");
        found.push(Finding::new(severity, format!("table {name}"), words).fix(fix));
    };
    if let Some(ttl) = ttl.filter(|ttl| *ttl > 0) {
        let words = format!("its rows vanish after {ttl} s, done or not");
        add(Severity::Problem, words, "default_time_to_live = 0");
    }
    if read_repair.as_ref().is_some_and(|how| how != "BLOCKING") {
        let words = "without blocking read repair a later read may show less than an earlier one";
        add(
            Severity::Problem,
            words.to_owned(),
            "read_repair = 'BLOCKING'",
        );
    }
    if let Some(grace) = grace.filter(|grace| *grace < GRACE_MIN_S) {
        let words = format!(
            "gc_grace_seconds is {grace}: hints are thrown away after it, and with them writes \
             that a node missed"
        );
        let option = format!("gc_grace_seconds = {INSERTED_GRACE_S}");
        add(Severity::Warning, words, &option);
    }
    let class = compacted.as_ref().and_then(|options| options.get("class"));
    let class = class.map_or("", |class| class.rsplit('.').next().unwrap_or_default());
    let fits = ["UnifiedCompactionStrategy", "LeveledCompactionStrategy"].contains(&class)
        // ScyllaDB's own.
        || class == "IncrementalCompactionStrategy";
    if !fits {
        let words = format!("{class} reads more tombstones than it must");
        add(Severity::Warning, words, &table.used.options(compaction));
    }
    found
}

/// When the table that needs it most was repaired, as far as the cluster wrote it down.
pub(crate) async fn repairs(link: &Link) -> Finding {
    let ks = &link.keyspace;
    let cql = format!(
        "SELECT finished_at, status FROM system_distributed.repair_history \
         WHERE keyspace_name = '{ks}' AND columnfamily_name = 'stream_mark'"
    );
    let check = "repair";
    let Some(rows) = rows_of::<(Option<CqlTimestamp>, Option<String>)>(link, cql).await else {
        let found = "its age cannot be known: this role may not read \
                     system_distributed.repair_history";
        return Finding::new(Severity::Ok, check, found)
            .fix("see that a repair of the keyspace ends within 10 days of the one before");
    };
    let ended = rows
        .iter()
        .filter(|(_, status)| status.as_deref() == Some("SUCCESS"));
    let last = ended.filter_map(|(at, _)| at.map(|at| at.0)).max();
    let now = HostClock.now().as_millis();
    let made = made_at(link).await.unwrap_or(now);
    let days = |since: i64| (now - since).max(0) / 86_400_000;
    let (since, found) = match last {
        Some(last) => (last, format!("the last one ended {} days ago", days(last))),
        None => (
            made,
            format!("none is on record; the tables are {} days old", days(made)),
        ),
    };
    if now - since > REPAIR_WITHIN_MS {
        return Finding::new(Severity::Warning, check, found).fix(format!(
            "nodetool repair {ks} on each node, at least every 10 days"
        ));
    }
    Finding::new(Severity::Ok, check, found)
}

/// When the tables were made, in UTC ms.
async fn made_at(link: &Link) -> Option<i64> {
    let ks = &link.keyspace;
    let cql = format!("SELECT writetime(version) FROM {ks}.meta WHERE name = 'schema'");
    let rows = rows_of::<(Option<i64>,)>(link, cql).await?;
    rows.first()?.0.map(|micros| micros / 1000)
}
