//! The schemes of the stores that are compiled in.

use longshore_core::{Registry, Scheme};

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
    longshore_redis::schemes()
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
    longshore_cassandra::schemes()
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
