//! Creating the tables: one creator at a time, and nobody goes on before all nodes agree.

use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use scylla::errors::ExecutionError;
use scylla::policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy};
use scylla::statement::unprepared::Statement;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::config::{Config, SchemaRule, misconfigured};
use crate::cql::data_centre::DataCentre;
use crate::cql::driver::Driver;
use crate::cql::schema::{self, Compaction};
use crate::error::{failed, unexpected_reply};

/// A turn to create the tables is this long, in seconds: that of a process that was killed must
/// end.
const TURN_S: u64 = 60;

/// How long to wait for another process that has its turn.
const CREATOR_MAX: Duration = Duration::from_secs(TURN_S + 30);

/// Maximum turns that a process takes.
const TURNS_MAX: usize = 3;

/// What there is of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Nothing,
    /// They are being created, or their creator was stopped.
    Begun,
    Version(i32),
}

/// Sees that the tables are there.
pub(crate) async fn bring_up(
    driver: &Driver,
    config: &Config,
    here: &DataCentre,
    create: bool,
) -> Result<()> {
    let ks = &config.keyspace;
    match there(driver, ks).await? {
        There::Version(schema::VERSION) => return Ok(()),
        There::Version(other) => return Err(unknown(ks, other)),
        _ => {}
    }
    // Also of a call that would create nothing: none with this URL ever does.
    if config.schema == SchemaRule::Manual {
        return Err(misconfigured(format!(
            "keyspace {ks} holds no longshore tables, and schema=manual leaves them to `longshore \
             schema apply` on a URL without it"
        )));
    }
    if !create {
        return Err(StoreError::new(
            StoreErrorKind::NotFound,
            "open",
            format!("keyspace {ks} holds no longshore tables; run `longshore schema apply`"),
        ));
    }
    let creator = Creator {
        driver,
        ks,
        here,
        id: Uuid::from_u128(fastrand::u128(..)),
    };
    creator.create(config).await?;
    let refreshed = driver.refresh().await;
    refreshed.map_err(|error| unexpected_reply("open", &error))
}

/// A version that is none of ours: of a later program, or of one before the first release, whose
/// tables had other names.
fn unknown(ks: &str, version: i32) -> StoreError {
    let known = schema::VERSION;
    let next = if version < known {
        "no release made them; work what they hold with the build that did, then name another \
         keyspace"
    } else {
        "upgrade this program"
    };
    let words = format!(
        "the tables of keyspace {ks} have version {version}, this build knows version {known}; {next}"
    );
    StoreError::unsupported("open", words)
}

/// Who makes the tables. Several may want to at a time: the statements of all go to one node,
/// so that no two nodes make the same table, and the row of `meta` says whose turn it is.
struct Creator<'a> {
    driver: &'a Driver,
    ks: &'a str,
    here: &'a DataCentre,
    id: Uuid,
}

impl Creator<'_> {
    async fn create(&self, config: &Config) -> Result<()> {
        let (ks, dc) = (self.ks, &self.here.name);
        // Where the keyspace is there the right to create keyspaces is not needed.
        if !has_keyspace(self.driver, ks).await? {
            let copies = self.here.copies_of_new(self.driver, config).await?;
            let mut of_each = self.here.copies_of_others(self.driver, config)?;
            of_each.push((dc.clone(), copies));
            self.change(&schema::keyspace(ks, &of_each)).await?;
        }
        self.change(&schema::meta(ks)).await?;
        let compaction = Compaction::of(&release(self.driver).await?);
        // A turn may be over before the tables are there; making them again changes nothing.
        for _ in 0..TURNS_MAX {
            if !self.claim().await? {
                return Ok(());
            }
            self.make_tables(compaction).await?;
            if self.finish().await? {
                return Ok(());
            }
        }
        Err(self.late("the nodes take too long to make"))
    }

    async fn make_tables(&self, compaction: Compaction) -> Result<()> {
        for table in schema::tables() {
            self.change(&table.create(self.ks, compaction)).await?;
        }
        // A table that was there already is no change: the driver did not wait for it, and a node
        // may lack what an earlier creator made.
        let agreed = self.driver.agreement().await;
        agreed.map_err(|error| failed("open", error))
    }

    /// Says that the tables are there; `false` if the turn was over before.
    async fn finish(&self) -> Result<bool> {
        let done = format!(
            "UPDATE {}.meta SET version = {} WHERE name = 'schema' IF creator = {}",
            self.ks,
            schema::VERSION,
            self.id
        );
        run(self.driver, Statement::new(done)).await?;
        Ok(there(self.driver, self.ks).await? == There::Version(schema::VERSION))
    }

    fn late(&self, what: &str) -> StoreError {
        let ks = self.ks;
        StoreError::new(
            StoreErrorKind::Timeout,
            "open",
            format!("{what} the tables of keyspace {ks}; run `longshore schema apply` again"),
        )
        .effect_unknown()
    }

    /// Takes the turn; `false` if another one has made the tables meanwhile.
    async fn claim(&self) -> Result<bool> {
        let Self { driver, ks, id, .. } = self;
        let began = Instant::now();
        loop {
            let claim = format!(
                "INSERT INTO {ks}.meta (name, creator) VALUES ('schema', {id}) IF NOT EXISTS \
                 USING TTL {TURN_S}"
            );
            // Of unknown outcome, or not ours: the row says whose it is.
            let _ = run(driver, Statement::new(claim)).await;
            let ask = format!("SELECT creator FROM {ks}.meta WHERE name = 'schema'");
            let creator = match one::<(Option<Uuid>,)>(driver, ask.as_str()).await {
                Err(error) if has_not_heard(&error) => None,
                creator => creator?,
            };
            if creator == Some((Some(*id),)) {
                return Ok(true);
            }
            if there(driver, ks).await? == There::Version(schema::VERSION) {
                return Ok(false);
            }
            if began.elapsed() > CREATOR_MAX {
                return Err(self.late("another process makes, and does not end,"));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Changes the schema; where there is a change the driver waits until all nodes agree.
    async fn change(&self, cql: &str) -> Result<()> {
        let mut statement = Statement::new(cql);
        if let Some(first) = self.here.first.clone() {
            let first = NodeIdentifier::Node(first);
            statement
                .set_load_balancing_policy(Some(SingleTargetLoadBalancingPolicy::new(first, None)));
        }
        run(self.driver, statement).await
    }
}

async fn has_keyspace(driver: &Driver, ks: &str) -> Result<bool> {
    let ask =
        format!("SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = '{ks}'");
    Ok(one::<(String,)>(driver, ask.as_str()).await?.is_some())
}

/// The release of the server that answers.
pub(crate) async fn release(driver: &Driver) -> Result<String> {
    let row = one::<(String,)>(driver, "SELECT release_version FROM system.local").await?;
    Ok(row.map(|(release,)| release).unwrap_or_default())
}

async fn there(driver: &Driver, ks: &str) -> Result<There> {
    let ask = format!(
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{ks}' AND table_name = 'meta'"
    );
    if one::<(String,)>(driver, ask.as_str()).await?.is_none() {
        return Ok(There::Nothing);
    }
    let ask = format!("SELECT version FROM {ks}.meta WHERE name = 'schema'");
    Ok(match one::<(Option<i32>,)>(driver, ask.as_str()).await {
        Ok(Some((Some(version),))) => There::Version(version),
        Ok(_) => There::Begun,
        Err(error) if has_not_heard(&error) => There::Begun,
        Err(error) => return Err(error),
    })
}

/// Whether a node that was asked, or one that this one asked, has not heard of the table yet.
fn has_not_heard(error: &StoreError) -> bool {
    error.kind() == StoreErrorKind::Misconfigured || error.message().contains("INCOMPATIBLE_SCHEMA")
}

pub(crate) async fn run(driver: &Driver, statement: Statement) -> Result<()> {
    let cql = statement.contents.clone();
    let done = driver.query(statement).await;
    done.map(drop).map_err(|error| said(&cql, error))
}

pub(crate) async fn one<R>(driver: &Driver, cql: impl Into<Statement>) -> Result<Option<R>>
where
    R: for<'f> scylla::deserialize::row::DeserializeRow<'f, 'f>,
{
    let statement: Statement = cql.into();
    let text = statement.contents.clone();
    let answer = driver.query(statement).await;
    let answer = answer.map_err(|error| said(&text, error))?;
    let rows = answer
        .into_rows_result()
        .map_err(|error| unexpected_reply("open", &error))?;
    rows.maybe_first_row::<R>()
        .map_err(|error| unexpected_reply("open", &error))
}

fn said(cql: &str, error: ExecutionError) -> StoreError {
    let verb: String = cql.chars().take_while(char::is_ascii_alphabetic).collect();
    failed("open", error).with("statement", verb)
}
