//! Where the scratch stores of a bench live.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use longshore::core::StoreUrl;

use super::folder::Folder;
use super::scratch::Scratch;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// Makes scratch stores of one kind, all with the settings of one URL, and removes them.
#[derive(Debug)]
pub(crate) struct Place {
    /// The folder of the files; `None` for a store without any.
    folder: Option<Folder>,
    /// What comes before the query, for a store that has a server.
    server: Option<Server>,
    /// `?key=value`, as in the URL.
    query: String,
    made: AtomicU32,
    /// The URLs of the stores made on a server.
    on_server: Mutex<Vec<String>>,
}

/// How many cells a Cassandra store has.
const CELLS: u32 = 32_000;

/// A server, and what keeps the scratch stores on it apart.
#[derive(Debug)]
enum Server {
    /// What their keys begin with.
    Prefixes(String),
    /// The number in their keys, from a first one on.
    Cells { base: String, first: u32 },
}

impl Place {
    /// A place for stores like that of `url`. The store of the URL itself is never opened: a
    /// file's neighbours go into a new folder beside it, or in it where the path is a folder.
    pub(crate) fn of(url: &str) -> Result<Self> {
        let parsed: StoreUrl = url.parse().map_err(|error: longshore::core::UrlError| {
            CliError::new(Exit::Misconfigured, error.to_string())
        })?;
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let (folder, server) = match parsed.scheme() {
            "memory" => (None, None),
            "sqlite" => (Some(Folder::beside(Path::new(parsed.path()))?), None),
            other if other.contains("redis") || other == "valkey" => {
                let base = url.split_once('?').map_or(url, |(base, _)| base);
                (None, Some(Server::Prefixes(base.to_owned())))
            }
            "cassandra" | "cassandra+tls" => {
                let base = url.split_once('?').map_or(url, |(base, _)| base);
                // A keyspace beside that of the URL: what a bench leaves behind goes with it.
                let base = format!("{base}_bench");
                // By chance: the numbers of processes come again, and what is left behind stays.
                let first = fastrand::u32(0..CELLS);
                (None, Some(Server::Cells { base, first }))
            }
            other => {
                return Err(CliError::new(
                    Exit::Misconfigured,
                    format!(
                        "bench cannot measure {other}:// stores; use sqlite://, redis://, \
                         cassandra:// or memory://"
                    ),
                ));
            }
        };
        let own = server.as_ref().map(Server::key);
        let query = query.split('&');
        let query = query.filter(|pair| own.is_none_or(|own| !is_of(own, pair)));
        Ok(Self {
            folder,
            server,
            query: query.collect::<Vec<_>>().join("&"),
            made: AtomicU32::new(0),
            on_server: Mutex::default(),
        })
    }

    /// The URLs of the stores that were made on a server and not cleared yet.
    pub(crate) fn take_on_server(&self) -> Vec<String> {
        let mut made = self
            .on_server
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut made)
    }

    /// Whether other processes can open these stores.
    pub(crate) fn is_shared(&self) -> bool {
        self.folder.is_some() || self.server.is_some()
    }

    /// Whether a server keeps these stores.
    pub(crate) fn has_server(&self) -> bool {
        self.server.is_some()
    }

    /// Whether several servers keep them, each change in several copies.
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.server, Some(Server::Cells { .. }))
    }

    /// The folder, where there is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(Folder::path)
    }

    /// A store that does not exist yet. `settings` replaces the query of the URL if given.
    pub(crate) fn fresh(&self, settings: Option<&str>) -> Result<Scratch> {
        let count = self.made.fetch_add(1, Ordering::Relaxed);
        let query = match settings.unwrap_or(&self.query) {
            "" => String::new(),
            query => format!("?{query}"),
        };
        if let Some(server) = &self.server {
            let (base, own) = server.apart(count);
            let given = settings.unwrap_or(&self.query);
            let separator = if given.is_empty() { "" } else { "&" };
            let scratch = Scratch {
                base,
                query: format!("?{given}{separator}{own}"),
                files: None,
            };
            let mut made = self
                .on_server
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            made.push(scratch.url());
            return Ok(scratch);
        }
        let Some(folder) = &self.folder else {
            let name = format!("memory://bench-{}-{count}", std::process::id());
            return Ok(Scratch {
                base: name,
                query,
                files: None,
            });
        };
        let files = Folder::create(folder.path().join(count.to_string()))?;
        let path = files.path().join("queue.db");
        let Some(path) = path.to_str() else {
            return Err(CliError::usage(
                "bench needs a path that is valid UTF-8, because it travels in a URL",
            ));
        };
        let escaped = path.replace('%', "%25").replace('?', "%3F");
        Ok(Scratch {
            base: format!("sqlite://{escaped}"),
            query,
            files: Some(files),
        })
    }
}

/// Whether a pair of a query sets a key.
fn is_of(key: &str, pair: &str) -> bool {
    pair.split('=').next() == Some(key)
}

impl Server {
    /// The setting that keeps scratch stores apart, whatever the URL has for it.
    fn key(&self) -> &'static str {
        match self {
            Self::Prefixes(_) => "prefix",
            Self::Cells { .. } => "cell",
        }
    }

    /// The base of a scratch store's URL, and the setting that makes it a store of its own.
    fn apart(&self, count: u32) -> (String, String) {
        let (base, value) = match self {
            // What is left behind when its queues are empty is a handful of keys.
            Self::Prefixes(base) => (base, format!("bench-{}-{count}", std::process::id())),
            Self::Cells { base, first } => (base, (first.wrapping_add(count) % CELLS).to_string()),
        };
        (base.clone(), format!("{}={value}", self.key()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_there_is_left_alone_and_scratch_goes_away() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("longshore.db");
        std::fs::write(&file, b"mine").unwrap();
        let place = Place::of(&format!("sqlite://{}?sync=normal", file.display())).unwrap();
        let scratch = place.fresh(None).unwrap();
        let url: StoreUrl = scratch.url().parse().unwrap();
        assert_ne!(Path::new(url.path()), file);
        assert!(Path::new(url.path()).starts_with(home.path().canonicalize().unwrap()));
        assert_eq!(url.query("sync"), Some("normal"));
        std::fs::write(url.path(), b"scratch").unwrap();
        drop(scratch);
        assert!(!Path::new(url.path()).exists());
        drop(place);
        assert_eq!(std::fs::read(&file).unwrap(), b"mine");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn stores_of_a_server_are_kept_apart_and_away_from_that_of_the_url() {
        let place = Place::of("cassandra://a,b/shop?dc=eu1").unwrap();
        let (one, two) = (place.fresh(None).unwrap(), place.fresh(None).unwrap());
        assert!(
            one.url()
                .starts_with("cassandra://a,b/shop_bench?dc=eu1&cell=")
        );
        assert_ne!(one.url(), two.url());
        let place = Place::of("cassandra://a/shop?cell=7&dc=eu1").unwrap();
        let query = place.fresh(None).unwrap().query;
        assert!(query.starts_with("?dc=eu1&cell=") && query.matches("cell").count() == 1);
        let place = Place::of("redis://h/0?prefix=mine").unwrap();
        let query = place.fresh(None).unwrap().query;
        assert!(query.starts_with("?prefix=bench-"), "{query}");
        let place = Place::of("redis://h/0").unwrap();
        let (one, two) = (place.fresh(None).unwrap(), place.fresh(None).unwrap());
        assert!(one.url().starts_with("redis://h/0?prefix=bench-"));
        assert_ne!(one.url(), two.url());
    }

    #[test]
    fn a_folder_that_is_not_there_and_other_stores_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let gone = home.path().join("gone/longshore.db");
        let error = Place::of(&format!("sqlite://{}", gone.display())).unwrap_err();
        assert_eq!(error.exit(), Exit::NothingMatched);
        assert_eq!(
            Place::of("failover:(memory://a,memory://b)")
                .unwrap_err()
                .exit(),
            Exit::Misconfigured
        );
        assert_eq!(
            Place::of("nonsense").unwrap_err().exit(),
            Exit::Misconfigured
        );
    }
}
