//! Connecting to a cluster, and bringing its tables up to date.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use longshore_core::{Clock, Result, StoreError, StoreErrorKind};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use scylla::client::execution_profile::{ExecutionProfile, ExecutionProfileHandle};
use scylla::client::session::TlsContext;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::speculative_execution::SimpleSpeculativeExecutionPolicy;
use scylla::policies::timestamp_generator::MonotonicTimestampGenerator;
use scylla::statement::{Consistency, SerialConsistency};
use tokio::time::{Instant, timeout_at};

use crate::config::{Config, Tls, misconfigured};
use crate::cql::cells;
use crate::cql::data_centre::{DataCentre, check_named};
use crate::cql::driver::Driver;
use crate::cql::greeting::first_word;
use crate::cql::migrate;
use crate::cql::session::Link;
use crate::cql::statements::Statements;
use crate::error::unreachable;

/// A clock that is further off than this is refused: buckets would close before their messages
/// are written, and every enqueue would be carried on.
pub(crate) const SKEW_MAX: Duration = Duration::from_secs(10);

/// How often it is looked whether all nodes agree on the tables, after each change of them.
const AGREEMENT_EVERY: Duration = Duration::from_millis(40);

/// A node that answers a repeatable statement so late is not waited for alone: another one is
/// asked, too.
const LATE_AFTER: Duration = Duration::from_millis(500);

/// How often a connection is asked for a sign of life, and how long that may take, at the most: a
/// node that stands still keeps its connections open, and what is sent to it is lost. The driver
/// waits for the first answer of each node, and only this bounds it: so it has to be a part of the
/// time that a call may take.
const SIGN_EVERY_MAX: Duration = Duration::from_secs(2);
const SIGN_WITHIN_MAX: Duration = Duration::from_secs(5);
/// And at the least: a node may stand still for a moment to collect garbage.
const SIGN_EVERY_LEAST: Duration = Duration::from_millis(250);
const SIGN_WITHIN_LEAST: Duration = Duration::from_millis(500);

/// Where the first node that is asked does not answer, another one is after this.
const NEXT_AFTER: Duration = Duration::from_millis(500);

/// How long all nodes may take to agree on tables that were made.
const AGREEMENT_MAX: Duration = Duration::from_secs(20);

/// Connects; creates what is missing where that is allowed. Answers the cell to work in, too.
pub(crate) async fn connect(
    config: &Config,
    timeout: Duration,
    create: bool,
) -> Result<(Arc<Link>, i16)> {
    let mut profile = requests(timeout, config.dc.as_deref()).into_handle();
    let driver = open(config, timeout, profile.clone()).await?;
    let here = DataCentre::of(&driver, config)?;
    // Also where the URL names none: a data centre that joins later is not asked.
    profile.map_to_another_profile(requests(timeout, Some(&here.name)));
    // Before anything is made in it, and again if it was made meanwhile.
    here.check_copies(&driver, config)?;
    migrate::bring_up(&driver, config, &here, create).await?;
    here.check_copies(&driver, config)?;
    check_named(&driver, config)?;
    let cell = cells::of(&driver, config, &here, create, timeout).await?;
    let statements = Box::pin(Statements::prepare(&driver, &config.keyspace)).await?;
    let link = Arc::new(Link {
        driver,
        keyspace: config.keyspace.clone(),
        here,
        statements,
        queues: Mutex::default(),
    });
    Ok((link, cell))
}

/// How requests go out: to the data centre of the name only, where there is one.
fn requests(timeout: Duration, dc: Option<&str>) -> ExecutionProfile {
    let mut policy = DefaultPolicy::builder().token_aware(true);
    if let Some(dc) = dc {
        policy = policy.prefer_datacenter(dc.to_owned());
    }
    ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .serial_consistency(Some(SerialConsistency::LocalSerial))
        .request_timeout(Some(timeout))
        .load_balancing_policy(policy.build())
        .speculative_execution_policy(Some(Arc::new(SimpleSpeculativeExecutionPolicy {
            max_retry_count: 1,
            retry_interval: LATE_AFTER,
        })))
        .build()
}

/// Opens the connections by way of the first node that answers, within `timeout`. One that stands
/// still is not waited for alone: the next one is asked beside it.
async fn open(
    config: &Config,
    timeout: Duration,
    profile: ExecutionProfileHandle,
) -> Result<Driver> {
    let began = Instant::now();
    let mut opening = FuturesUnordered::new();
    let mut failed = None;
    for (number, host) in config.hosts.iter().enumerate() {
        // The driver would take the hosts in any order, one after the other.
        let builder = session(config, host, timeout, profile.clone())?;
        opening.push(introduced(config, host, timeout, builder));
        let is_last = number + 1 == config.hosts.len();
        let until = if is_last {
            began + timeout
        } else {
            (Instant::now() + NEXT_AFTER).min(began + timeout)
        };
        while let Ok(Some(opened)) = timeout_at(until, opening.next()).await {
            match opened {
                Ok(driver) => return Ok(driver),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
    }
    Err(failed.unwrap_or_else(|| silent(timeout)))
}

/// Opens the connections by way of `host`, once it has shown that it is a node.
async fn introduced(
    config: &Config,
    host: &str,
    timeout: Duration,
    builder: SessionBuilder,
) -> Result<Driver> {
    if config.tls.is_none() {
        first_word(host, timeout).await?;
    }
    Driver::open(builder).await.map_err(unreachable)
}

fn session(
    config: &Config,
    host: &str,
    timeout: Duration,
    profile: ExecutionProfileHandle,
) -> Result<SessionBuilder> {
    let mut builder = SessionBuilder::new()
        .known_node(host)
        .default_execution_profile_handle(profile)
        .connection_timeout(timeout)
        .schema_agreement_interval(AGREEMENT_EVERY)
        .refresh_metadata_on_auto_schema_agreement(false)
        .keepalive_interval((timeout / 8).clamp(SIGN_EVERY_LEAST, SIGN_EVERY_MAX))
        .keepalive_timeout((timeout / 2).clamp(SIGN_WITHIN_LEAST, SIGN_WITHIN_MAX))
        .schema_agreement_timeout(AGREEMENT_MAX)
        .keyspaces_to_fetch([config.keyspace.as_str()])
        .timestamp_generator(Arc::new(MonotonicTimestampGenerator::new()));
    if let (Some(user), password) = (&config.user, config.password.as_deref()) {
        builder = builder.user(user, password.unwrap_or_default());
    }
    if let Some(tls) = &config.tls {
        builder = builder.tls_context(Some(TlsContext::Rustls023(tls_config(tls)?)));
    }
    Ok(builder)
}

fn silent(timeout: Duration) -> StoreError {
    let words = format!(
        "no node said that it is there within {timeout:?}; see whether they run and answer, or raise \
         ?timeout="
    );
    StoreError::new(StoreErrorKind::Unavailable, "open", words)
}

fn tls_config(tls: &Tls) -> Result<Arc<rustls::ClientConfig>> {
    let broken = |what: &str, error: &dyn std::fmt::Display| {
        misconfigured(format!("{what} cannot be read: {error}"))
    };
    let Some(ca) = &tls.ca else {
        return Err(misconfigured(
            "cassandra+tls:// wants ca=FILE: the certificate of the authority that signed those \
             of the nodes",
        ));
    };
    let mut roots = rustls::RootCertStore::empty();
    let read = CertificateDer::pem_file_iter(ca).map_err(|error| broken("ca", &error))?;
    for certificate in read {
        let certificate = certificate.map_err(|error| broken("ca", &error))?;
        roots
            .add(certificate)
            .map_err(|error| broken("ca", &error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| broken("the TLS settings", &error))?
        .with_root_certificates(roots);
    let config = match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => {
            let read = CertificateDer::pem_file_iter(cert);
            let chain = read.and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let chain = chain.map_err(|error| broken("cert", &error))?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| broken("key", &error))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| broken("cert", &error))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

/// Refuses a clock that is far from the servers': it costs time, not safety, but a lot of it.
pub(crate) async fn check_clock(link: &Link, clock: &dyn Clock) -> Result<()> {
    let statement = &link.statements.server_time;
    let row: Option<(Option<i64>,)> = link.one("open", statement, ()).await?;
    let Some((Some(server),)) = row else {
        return Ok(());
    };
    check_skew(clock.now().as_millis() - server)
}

/// Judges how far the clock of this host is ahead of the servers'.
fn check_skew(ahead_ms: i64) -> Result<()> {
    let skew = Duration::from_millis(ahead_ms.unsigned_abs());
    if skew > SKEW_MAX {
        return Err(misconfigured(format!(
            "the clock of this host and those of the servers are {} s apart, at most {} s are \
             allowed; set both by NTP",
            skew.as_secs(),
            SKEW_MAX.as_secs()
        )));
    }
    if skew > Duration::from_secs(1) {
        tracing::warn!(
            ahead_ms,
            "the clocks of this host and of the servers differ"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_off_is_refused_whichever_way() {
        for near in [0, -9_999, 10_000] {
            check_skew(near).expect("near enough");
        }
        for far in [-10_001, 3_600_000, i64::MIN] {
            let error = check_skew(far).expect_err("too far");
            assert!(error.to_string().contains("set both by NTP"), "{error}");
        }
    }
}
