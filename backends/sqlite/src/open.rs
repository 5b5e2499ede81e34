//! Opening a store.

use std::sync::{Arc, LazyLock};

use longshore_core::{
    Backend, Clock, OpenOptions, Result, Scheme, StoreError, StoreErrorKind, StoreUrl,
};

use crate::clock::SystemClock;
use crate::config::Config;
use crate::database::handle::Database;
use crate::file::host::Host;
use crate::schema::ddl;
use crate::store::SqliteStore;

/// One clock for all handles that bring none, so that they share a database.
static CLOCK: LazyLock<Arc<dyn Clock>> = LazyLock::new(|| Arc::new(SystemClock));

/// How `sqlite://` is opened.
pub fn scheme() -> Scheme {
    Scheme {
        name: "sqlite",
        feature: "sqlite",
        open: Some(|url, options| Box::pin(async move { open(&url, &options).await })),
        ddl: Some(ddl),
        floor: Some(crate::floor::floor),
    }
}

/// Opens the file of a `sqlite://` URL. Handles of one process share what lies below.
pub async fn open(url: &StoreUrl, options: &OpenOptions) -> Result<Backend> {
    open_on(url, options, Host::default()).await
}

/// As [`open`], on a host that may be another one than the system's.
pub async fn open_on(url: &StoreUrl, options: &OpenOptions, host: Host) -> Result<Backend> {
    let config = Config::of(url, options)?;
    let clock = options.clock.clone().unwrap_or_else(|| CLOCK.clone());
    let store = (config.clone(), clock.clone(), host.clone());
    let opening = tokio::task::spawn_blocking(move || Database::open(&config, &clock, host));
    let database = opening.await.map_err(|error| {
        StoreError::new(
            StoreErrorKind::Unexpected,
            "open",
            "opening the database stopped",
        )
        .caused_by(error)
    })??;
    let (config, clock, host) = store;
    let store = Arc::new(SqliteStore::new(database, config, clock, host));
    Ok(Backend::of(store.clone())
        .with_aggregates(store.clone())
        .with_fsck(store.clone())
        .with_backup(store))
}
