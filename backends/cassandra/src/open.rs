//! Opening a store by its URL.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use longshore_core::{
    Backend, Clock, OpenFuture, OpenOptions, Result, Scheme, StepListener, StoreUrl,
};

use crate::aggregate::CassandraAggregates;
use crate::clock::HostClock;
use crate::config::Config;
use crate::cql::connect::connect;
use crate::cql::dedup_keys::Keys;
use crate::cql::queue_catalog::Catalog;
use crate::cql::session::Link;
use crate::cql::storage::Tables;
use crate::ownership::consumer_session::ConsumerSession;
use crate::ownership::process::Owner;
use crate::producer::append::Producer;
use crate::producer::depth_cache::Depths;
use crate::producer::recent_ids::Recent;
use crate::producer::write_queue::WriteQueue;
use crate::store::{CassandraStore, Inner};
use crate::tasks::heartbeat;
use crate::tasks::maintenance;

/// The schemes of this store.
pub fn schemes() -> Vec<Scheme> {
    ["cassandra", "cassandra+tls"]
        .into_iter()
        .map(|name| Scheme {
            name,
            feature: "cassandra",
            open: Some(opened),
            ddl: Some(crate::cql::schema::text),
            floor: Some(crate::floor::floor),
        })
        .collect()
}

fn opened(url: StoreUrl, options: OpenOptions) -> OpenFuture {
    Box::pin(async move {
        let store = open(&url, options).await?;
        Ok(backend(store.clone()).with_fsck(store))
    })
}

/// Opens the store of a URL. The cluster is asked at once, so that a wrong URL is found here.
pub async fn open(url: &StoreUrl, options: OpenOptions) -> Result<Arc<CassandraStore>> {
    let config = Config::from_url(url)?;
    let timeout = config.timeout.unwrap_or(options.call_timeout);
    let (link, cell) = connect(&config, timeout, options.create).await?;
    if options.clock.is_none() {
        crate::cql::connect::check_clock(&link, &HostClock).await?;
    }
    Ok(made(link, cell, &config, timeout, options.clock))
}

/// All handles of a store.
pub fn backend(store: Arc<CassandraStore>) -> Backend {
    let aggregates = CassandraAggregates::new(store.clone());
    Backend::of(store).with_aggregates(Arc::new(aggregates))
}

/// A connection that several stores share, in tests that open hundreds.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Shared(Arc<Link>, Duration);

impl Shared {
    /// Connects, and creates the tables.
    pub async fn connect(url: &StoreUrl) -> Result<Self> {
        let config = Config::from_url(url)?;
        let timeout = config.timeout.unwrap_or(Duration::from_secs(20));
        let (link, _) = connect(&config, timeout, true).await?;
        Ok(Self(link, timeout))
    }

    /// Opens a store of another cell on the same connection.
    pub fn open(&self, url: &StoreUrl, clock: Arc<dyn Clock>) -> Result<Arc<CassandraStore>> {
        let config = Config::from_url(url)?;
        let cell = config.cell.unwrap_or_default();
        Ok(made(self.0.clone(), cell, &config, self.1, Some(clock)))
    }
}

fn made(
    link: Arc<Link>,
    cell: i16,
    config: &Config,
    call_timeout: Duration,
    clock: Option<Arc<dyn Clock>>,
) -> Arc<CassandraStore> {
    let rows = Arc::new(Tables {
        link: link.clone(),
        cell,
    });
    let clock = clock.unwrap_or_else(|| Arc::new(HostClock));
    let owner = Arc::new(Owner::new(rows.clone(), clock.clone()));
    let listener: Arc<dyn StepListener> = owner.clone();
    clock.on_step(Arc::downgrade(&listener));
    let inner = Arc::new(Inner {
        catalog: Catalog {
            link: link.clone(),
            cell,
            shards: config.shards,
        },
        keys: Keys {
            link: link.clone(),
            cell,
        },
        link,
        owner,
        producer: Producer::new(rows),
        write_queue: WriteQueue::default(),
        recent: Recent::default(),
        depths: Depths::default(),
        consumer_session: ConsumerSession::default(),
        // Processes that receive once do not all begin with the same shard.
        turn: AtomicUsize::new(fastrand::usize(..1 << 16)),
        call_timeout,
    });
    heartbeat::start(&inner, config.poll);
    maintenance::start(&inner);
    Arc::new(CassandraStore { inner })
}
