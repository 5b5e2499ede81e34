//! The tables, and the statements that create them.

/// How the servers compact tables: what each version does best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compaction {
    /// From 5.0 on: `UnifiedCompactionStrategy`.
    Unified,
    /// Before: `LeveledCompactionStrategy`.
    Leveled,
}

impl Compaction {
    /// What servers of a release have.
    pub(crate) fn of(release: &str) -> Self {
        let major = release
            .split('.')
            .next()
            .and_then(|it| it.parse::<u32>().ok());
        if major.is_some_and(|major| major >= 5) {
            Self::Unified
        } else {
            Self::Leveled
        }
    }

    /// For a table that is written often and read seldom, or the other way round.
    fn option(self, use_: Use) -> &'static str {
        match (self, use_) {
            (Self::Leveled, _) => "{'class': 'LeveledCompactionStrategy'}",
            (Self::Unified, Use::Inserted) => {
                "{'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T4'}"
            }
            (Self::Unified, Use::Marked) => {
                "{'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'L4'}"
            }
        }
    }
}

/// How a table is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Data that is inserted and deleted in whole partitions.
    Inserted,
    /// Nothing but lightweight transactions writes it: few rows, changed often.
    Marked,
}

/// A day: longer than any hint lives.
pub(crate) const INSERTED_GRACE_S: i32 = 86_400;

impl Use {
    /// The options of a table.
    pub(crate) fn options(self, compaction: Compaction) -> String {
        let compaction = format!("compaction = {}", compaction.option(self));
        match self {
            Self::Inserted => format!("gc_grace_seconds = {INSERTED_GRACE_S} AND {compaction}"),
            Self::Marked => compaction,
        }
    }
}

/// The partition key of a stream.
const STREAM: &str = "queue uuid, cell smallint, shard int, kind tinyint";

/// The statement that creates the keyspace: so many copies in each data centre.
pub(crate) fn keyspace(name: &str, copies: &[(String, usize)]) -> String {
    let of_each = copies.iter().map(|(dc, copies)| {
        let dc = dc.replace('\'', "''");
        format!(", '{dc}': {copies}")
    });
    let of_each = of_each.collect::<Vec<_>>().concat();
    format!(
        "CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = \
         {{'class': 'NetworkTopologyStrategy'{of_each}}}"
    )
}

/// The version of these tables.
pub(crate) const VERSION: i32 = 4;

/// The table that says which version the others have; it is created before them, and its row
/// says who may create them.
pub(crate) fn meta(ks: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {ks}.meta (name text PRIMARY KEY, version int, creator uuid)"
    )
}

/// A table beside `meta`.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    columns: String,
    pub(crate) used: Use,
}

impl Table {
    /// The statement that creates it.
    pub(crate) fn create(&self, ks: &str, compaction: Compaction) -> String {
        let Self {
            name,
            columns,
            used,
        } = self;
        let options = used.options(compaction);
        format!("CREATE TABLE IF NOT EXISTS {ks}.{name} ({columns}) WITH {options}")
    }
}

fn inserted(name: &'static str, columns: impl Into<String>) -> Table {
    let (columns, used) = (columns.into(), Use::Inserted);
    Table {
        name,
        columns,
        used,
    }
}

fn marked(name: &'static str, columns: impl Into<String>) -> Table {
    let (columns, used) = (columns.into(), Use::Marked);
    Table {
        name,
        columns,
        used,
    }
}

/// The other tables.
pub(crate) fn tables() -> Vec<Table> {
    let mut tables = of_streams();
    tables.extend(of_cells());
    tables.extend(of_aggregates());
    tables
}

/// What is kept of messages.
fn of_streams() -> Vec<Table> {
    let key = "queue, cell, shard, kind";
    vec![
        marked(
            "stream_mark",
            format!("{STREAM}, closed_to bigint, done_to bigint, PRIMARY KEY (({key}))"),
        ),
        inserted(
            "stream_bucket",
            format!(
                "{STREAM}, bucket bigint, done boolean, watermark blob, \
                 PRIMARY KEY (({key}), bucket)"
            ),
        ),
        inserted(
            "message",
            format!(
                "{STREAM}, bucket bigint, pos bigint, msg_id blob, revision smallint, \
                 prio tinyint, grp text, due_ms bigint, seq bigint, head blob, body blob, \
                 start blob, PRIMARY KEY (({key}, bucket), pos, msg_id)"
            ),
        ),
        inserted(
            "message_event",
            format!(
                "{STREAM}, bucket bigint, pos bigint, msg_id blob, serial int, what tinyint, \
                 detail blob, PRIMARY KEY (({key}, bucket), pos, msg_id, serial, what)"
            ),
        ),
        marked(
            "dedup",
            "queue uuid, cell smallint, scope blob, first uuid, until_ms bigint, \
             since_ms bigint, PRIMARY KEY ((queue, cell, scope))",
        ),
        inserted(
            "dedup_stored",
            "queue uuid, cell smallint, scope blob, msg_id uuid, since_ms bigint, \
             PRIMARY KEY ((queue, cell, scope), msg_id)",
        ),
    ]
}

/// What is kept of queues, processes and leases.
fn of_cells() -> Vec<Table> {
    vec![
        marked(
            "cell",
            "name text, cell smallint, dc text, incarnation uuid, PRIMARY KEY ((name), cell)",
        ),
        marked(
            "queue_def",
            "cell smallint, name text, queue uuid, shards int, version bigint, settings text, \
             pause text, moving text, PRIMARY KEY ((cell), name)",
        ),
        marked(
            "member",
            "cell smallint, process uuid, beat bigint, state text, \
             PRIMARY KEY ((cell, process))",
        ),
        marked(
            "stripe_owner",
            "cell smallint, stripe smallint, owner uuid, epoch bigint, \
             PRIMARY KEY ((cell, stripe))",
        ),
        inserted(
            "doorbell",
            "cell smallint, doorbell smallint, queue uuid, shard int, kind tinyint, what tinyint, \
             bucket bigint, token_id uuid, PRIMARY KEY ((cell, doorbell), queue, shard, kind, what)",
        ),
        marked(
            "named_lease",
            "cell smallint, name text, key text, holder text static, epoch bigint static, \
             until_ms bigint static, value blob, keep_ms bigint, \
             PRIMARY KEY ((cell, name), key)",
        ),
        inserted(
            "worker",
            "cell smallint, id text, info text, until_ms bigint, PRIMARY KEY ((cell), id)",
        ),
    ]
}

/// What is kept of aggregates: the log of each shard, cut into pages, and its snapshots.
fn of_aggregates() -> Vec<Table> {
    let log = "aggregate uuid, cell smallint, shard smallint";
    let key = "aggregate, cell, shard";
    vec![
        marked(
            "aggregate_def",
            "cell smallint, name text, aggregate uuid, generation bigint, shards smallint, \
             PRIMARY KEY ((cell), name)",
        ),
        marked(
            "aggregate_head",
            format!("{log}, seq bigint, record uuid, snapshot uuid, PRIMARY KEY (({key}))"),
        ),
        inserted(
            "aggregate_record",
            format!(
                "{log}, page bigint, seq bigint, record uuid, body blob, \
                 PRIMARY KEY (({key}, page), seq, record)"
            ),
        ),
        inserted(
            "aggregate_part",
            format!(
                "{log}, page bigint, seq bigint, record uuid, number int, head blob, body blob, \
                 PRIMARY KEY (({key}, page), seq, record, number)"
            ),
        ),
        inserted(
            "aggregate_acknowledged",
            format!("{log}, taker smallint, upto bigint, PRIMARY KEY (({key}), taker)"),
        ),
        inserted(
            "aggregate_snapshot",
            format!(
                "{log}, snapshot uuid, piece int, body blob, \
                 PRIMARY KEY (({key}, snapshot), piece)"
            ),
        ),
    ]
}

/// The whole schema as text for `cqlsh` of 5.0.
pub(crate) fn text() -> String {
    let ks = "longshore";
    let mut all = vec![keyspace(ks, &[("dc1".to_owned(), 3)]), meta(ks)];
    let tables = tables();
    all.extend(tables.iter().map(|it| it.create(ks, Compaction::Unified)));
    all.push(format!(
        "INSERT INTO {ks}.meta (name, version) VALUES ('schema', {VERSION}) IF NOT EXISTS"
    ));
    all.join(";\n") + ";\n"
}
