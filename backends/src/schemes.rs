//! The schemes of the stores that are compiled in.

#[cfg(any(feature = "redis", feature = "cassandra"))]
use std::sync::Arc;

#[cfg(any(feature = "redis", feature = "cassandra"))]
use longshore_core::{Floor, OpenFuture, OpenOptions, Result, StoreUrl};
use longshore_core::{Registry, Scheme};

#[cfg(any(feature = "redis", feature = "cassandra"))]
use crate::password_file;

/// All stores by scheme. One whose feature is off is known by name, so that opening it says
/// which feature to build with.
pub fn registry() -> Registry {
    let known = Registry::new().with(memory()).with(sqlite());
    let servers = redis().into_iter().chain(cassandra());
    servers.fold(known, Registry::with)
}

#[cfg(feature = "memory")]
fn memory() -> Scheme {
    longshore_memory::scheme()
}

#[cfg(not(feature = "memory"))]
fn memory() -> Scheme {
    left_out("memory")
}

#[cfg(feature = "sqlite")]
fn sqlite() -> Scheme {
    longshore_sqlite::scheme()
}

#[cfg(not(feature = "sqlite"))]
fn sqlite() -> Scheme {
    left_out("sqlite")
}

#[cfg(feature = "redis")]
fn redis() -> Vec<Scheme> {
    let with_secrets = |scheme| Scheme {
        open: Some(|url, options| opened(longshore_redis::schemes(), url, options)),
        floor: Some(|url| floor(longshore_redis::schemes(), url)),
        ..scheme
    };
    longshore_redis::schemes()
        .into_iter()
        .map(with_secrets)
        .collect()
}

#[cfg(not(feature = "redis"))]
fn redis() -> Vec<Scheme> {
    let left_out = |name| Scheme {
        feature: "redis",
        ..left_out(name)
    };
    [
        "redis",
        "rediss",
        "valkey",
        "redis+unix",
        "redis+sentinel",
        "redis+cluster",
    ]
    .map(left_out)
    .into()
}

#[cfg(feature = "cassandra")]
fn cassandra() -> Vec<Scheme> {
    let with_secrets = |scheme| Scheme {
        open: Some(|url, options| opened(longshore_cassandra::schemes(), url, options)),
        floor: Some(|url| floor(longshore_cassandra::schemes(), url)),
        ..scheme
    };
    longshore_cassandra::schemes()
        .into_iter()
        .map(with_secrets)
        .collect()
}

/// Opens a URL by the store's own schemes, with the secrets that it names.
#[cfg(any(feature = "redis", feature = "cassandra"))]
fn opened(schemes: Vec<Scheme>, url: StoreUrl, options: OpenOptions) -> OpenFuture {
    Box::pin(async move {
        let url = password_file::resolve(url)?;
        let own = schemes.into_iter().fold(Registry::new(), Registry::with);
        own.open(&url, options).await
    })
}

/// The same for the raw floor.
#[cfg(any(feature = "redis", feature = "cassandra"))]
fn floor(schemes: Vec<Scheme>, url: &StoreUrl) -> Result<Arc<dyn Floor>> {
    let url = password_file::resolve(url.clone())?;
    let own = schemes.into_iter().fold(Registry::new(), Registry::with);
    own.floor(&url)
}

#[cfg(not(feature = "cassandra"))]
fn cassandra() -> Vec<Scheme> {
    let left_out = |name| Scheme {
        feature: "cassandra",
        ..left_out(name)
    };
    ["cassandra", "cassandra+tls"].map(left_out).into()
}

#[cfg(not(all(
    feature = "memory",
    feature = "sqlite",
    feature = "redis",
    feature = "cassandra"
)))]
fn left_out(name: &'static str) -> Scheme {
    Scheme {
        name,
        feature: name,
        open: None,
        ddl: None,
        floor: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_core::{OpenOptions, StoreErrorKind, StoreUrl};

    fn url(text: &str) -> StoreUrl {
        text.parse().unwrap()
    }

    #[cfg(feature = "memory")]
    #[tokio::test]
    async fn a_url_opens_its_store_and_an_unknown_scheme_names_the_nearest() {
        let registry = registry();
        let store = url("memory://registry-test");
        assert!(registry.open(&store, OpenOptions::default()).await.is_ok());
        let refused = registry
            .open(&url("memroy://x"), OpenOptions::default())
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Misconfigured);
        assert!(refused.to_string().contains("memory"), "{refused}");
    }

    #[cfg(not(feature = "memory"))]
    #[tokio::test]
    async fn a_store_that_is_left_out_names_its_feature() {
        let refused = registry()
            .open(&url("memory://x"), OpenOptions::default())
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unsupported);
        assert!(refused.to_string().contains("`memory`"), "{refused}");
    }
}
