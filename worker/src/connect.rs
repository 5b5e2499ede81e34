//! Opening stores by URL.

use std::sync::Arc;

use longshore_core::{OpenOptions, Registry, Result, StoreUrl};

use crate::Connection;

/// Opens the store of a URL, such as `sqlite://./longshore.db`, creating what is missing.
///
/// # Errors
///
/// A URL that is none or has unknown keys is `Misconfigured`; a store that is not compiled in is
/// `Unsupported` and names the feature.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let connection = longshore::connect("memory://doc-connect").await?;
/// assert_eq!(connection.queue("mail").unwrap().name().as_str(), "mail");
/// # Ok::<(), longshore::StoreError>(()) }).unwrap();
/// ```
pub async fn connect(url: &str) -> Result<Connection> {
    connect_with(url, OpenOptions::default()).await
}

/// Opens the store of a URL with options: a clock, a call timeout, whether to create it.
pub async fn connect_with(url: &str, options: OpenOptions) -> Result<Connection> {
    let url: StoreUrl = url.parse()?;
    let backend = registry().open(&url, options.clone()).await?;
    Ok(Connection::of(Arc::new(url), backend, &options))
}

/// The stores that this build knows.
pub fn registry() -> Registry {
    longshore_backends::registry()
}
