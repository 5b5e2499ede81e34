//! Which name is which store: the one map of this process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use longshore_core::{Backend, OpenOptions, Result, Scheme, StoreError, StoreErrorKind, StoreUrl};

use crate::clock::SystemClock;
use crate::config::Config;
use crate::store::MemoryStore;

static STORES: LazyLock<Mutex<HashMap<String, Arc<MemoryStore>>>> = LazyLock::new(Mutex::default);

/// How `memory://` is opened.
pub fn scheme() -> Scheme {
    Scheme {
        name: "memory",
        feature: "memory",
        open: Some(|url, options| Box::pin(async move { open(&url, &options) })),
        ddl: None,
        floor: Some(crate::floor::floor),
    }
}

/// Opens the store of a `memory://name` URL: the same store for the same name, until the process
/// ends. Without a name each call opens a store of its own.
pub fn open(url: &StoreUrl, options: &OpenOptions) -> Result<Backend> {
    let Some(name) = Config::from_url(url)?.name else {
        return Ok(made(options).backend());
    };
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = stores.get(&name) {
        if let Some(clock) = &options.clock
            && !store.runs_on(clock)
        {
            return Err(StoreError::new(
                StoreErrorKind::Misconfigured,
                "open",
                format!("memory://{name} is open already and runs on another clock"),
            ));
        }
        return Ok(store.clone().backend());
    }
    if !options.create {
        return Err(StoreError::new(
            StoreErrorKind::NotFound,
            "open",
            format!("there is no store memory://{name} in this process"),
        ));
    }
    let store = made(options);
    stores.insert(name, store.clone());
    Ok(store.backend())
}

fn made(options: &OpenOptions) -> Arc<MemoryStore> {
    let clock = options.clock.clone();
    Arc::new(MemoryStore::new(
        clock.unwrap_or_else(|| Arc::new(SystemClock)),
    ))
}
