//! Where the scratch stores of a bench live.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use longshore::Connection;
use longshore::core::StoreUrl;

use crate::error::{CliError, Result};
use crate::exit::Exit;

/// Makes scratch stores of one kind, all with the settings of one URL, and removes them.
#[derive(Debug)]
pub(crate) struct Place {
    /// The folder of the files; `None` for a store without any.
    folder: Option<Folder>,
    /// The server and what comes before the query, for a store that has one.
    server: Option<String>,
    /// `?key=value`, as in the URL.
    query: String,
    made: AtomicU32,
    /// The URLs of the stores made on a server.
    on_server: Mutex<Vec<String>>,
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
                (None, Some(base.to_owned()))
            }
            other => {
                return Err(CliError::new(
                    Exit::Misconfigured,
                    format!(
                        "bench cannot measure {other}:// stores; use sqlite://, redis:// or \
                         memory://"
                    ),
                ));
            }
        };
        Ok(Self {
            folder,
            server,
            query: query.to_owned(),
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

    /// The folder, where there is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(|folder| folder.0.as_path())
    }

    /// A store that does not exist yet. `settings` replaces the query of the URL if given.
    pub(crate) fn fresh(&self, settings: Option<&str>) -> Result<Scratch> {
        let count = self.made.fetch_add(1, Ordering::Relaxed);
        let query = match settings.unwrap_or(&self.query) {
            "" => String::new(),
            query => format!("?{query}"),
        };
        if let Some(server) = &self.server {
            // Keys of its own, so that all of them can be found and cleared.
            let prefix = format!("prefix=bench-{}-{count}", std::process::id());
            let given = settings.unwrap_or(&self.query);
            let separator = if given.is_empty() { "" } else { "&" };
            let scratch = Scratch {
                base: server.clone(),
                query: format!("?{given}{separator}{prefix}"),
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
        let files = Folder::create(folder.0.join(count.to_string()))?;
        let path = files.0.join("queue.db");
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

/// One scratch store. Dropping it removes its files.
#[derive(Debug)]
pub(crate) struct Scratch {
    base: String,
    query: String,
    files: Option<Folder>,
}

impl Scratch {
    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.base, self.query)
    }

    /// The same store opened with other settings, such as a relaxed durability to fill it.
    pub(crate) fn url_with(&self, settings: &str) -> String {
        match self.files {
            Some(_) => format!("{}?{settings}", self.base),
            None => self.url(),
        }
    }

    /// Opens it.
    pub(crate) async fn open(&self) -> Result<Connection> {
        open(&self.url()).await
    }
}

/// Opens a store.
pub(crate) async fn open(url: &str) -> Result<Connection> {
    Ok(longshore::connect(url).await?)
}

/// A folder that goes away with its content.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn beside(path: &Path) -> Result<Self> {
        let parent = if path.is_dir() {
            path
        } else {
            match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            }
        };
        let parent = parent
            .canonicalize()
            .map_err(|error| crate::error::of_file(parent, &error))?;
        Self::create(parent.join(format!(".longshore-bench-{}", std::process::id())))
    }

    /// Never takes over a folder that is there already.
    fn create(path: PathBuf) -> Result<Self> {
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(CliError::new(
                Exit::Failed,
                format!(
                    "the scratch folder \"{}\" cannot be made: {error}; name a store in a folder \
                     where this user may write",
                    path.display()
                ),
            )),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            crate::output::complain(format!(
                "the scratch folder \"{}\" could not be removed: {error}; remove it by hand",
                self.0.display()
            ));
        }
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
    fn a_folder_that_is_not_there_and_other_stores_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let gone = home.path().join("gone/longshore.db");
        let error = Place::of(&format!("sqlite://{}", gone.display())).unwrap_err();
        assert_eq!(error.exit(), Exit::NothingMatched);
        assert_eq!(
            Place::of("cassandra://127.0.0.1").unwrap_err().exit(),
            Exit::Misconfigured
        );
        assert_eq!(
            Place::of("nonsense").unwrap_err().exit(),
            Exit::Misconfigured
        );
    }
}
