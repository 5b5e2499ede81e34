//! One scratch store of a bench.

use longshore::Connection;
use longshore::core::StoreUrl;

use super::folder::Folder;
use crate::error::{CliError, Result};

/// One scratch store. Dropping it removes its files.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(super) base: String,
    pub(super) query: String,
    pub(super) files: Option<Folder>,
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
    let opened = longshore::connect(url).await;
    opened.map_err(|error| at(url, error))
}

/// An error that says which store it is about.
pub(crate) fn at(url: &str, error: impl Into<CliError>) -> CliError {
    let error = error.into();
    match url.parse::<StoreUrl>() {
        Ok(url) => error.while_doing(format_args!("the store {url}")),
        Err(_) => error,
    }
}
