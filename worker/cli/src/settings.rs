//! Which store is meant: option > environment > file > default.

use std::path::{Path, PathBuf};

use longshore::core::StoreUrl;

use crate::args::GlobalArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::route_files;

/// The store where nothing says otherwise.
const DEFAULT_STORE: &str = "sqlite://./longshore.db";

/// The URL of a store and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreSetting {
    /// The URL.
    pub(crate) url: StoreUrl,
    /// Who gave it, for sentences about it.
    pub(crate) source: String,
}

impl StoreSetting {
    /// The store of a command: `--store`, `LONGSHORE_STORE`, the `[store]` of the file that
    /// `--config` or `LONGSHORE_CONFIG` names, or a file in the working directory.
    pub(crate) fn find(global: &GlobalArgs) -> Result<Self> {
        if let Some(told) = Self::told(global)? {
            return Ok(told);
        }
        match config_file(global) {
            Some(file) => Self::of_file(&file),
            None => Self::parse("the default store", DEFAULT_STORE),
        }
    }

    /// The store that wins over every file, if one is told.
    pub(crate) fn told(global: &GlobalArgs) -> Result<Option<Self>> {
        if let Some(url) = &global.store {
            return Self::parse("--store", url).map(Some);
        }
        variable("LONGSHORE_STORE")
            .map(|url| Self::parse("LONGSHORE_STORE", &url))
            .transpose()
    }

    /// The store that a set of route files names, else the default.
    pub(crate) fn of_url(url: Option<&StoreUrl>, source: String) -> Result<Self> {
        match url {
            Some(url) => Ok(Self {
                url: url.clone(),
                source,
            }),
            None => Self::parse("the default store", DEFAULT_STORE),
        }
    }

    /// The store of an option or a variable.
    pub(crate) fn parse(source: &str, url: &str) -> Result<Self> {
        let url = url
            .parse()
            .map_err(|error| CliError::new(Exit::Misconfigured, format!("{source}: {error}")))?;
        Ok(Self {
            url,
            source: source.to_owned(),
        })
    }

    fn of_file(file: &Path) -> Result<Self> {
        let set = route_files::load(&[file.to_owned()])?;
        Self::of_url(set.store_url(), format!("[store] of {}", file.display()))
    }
}

/// The file whose `[store]` counts.
fn config_file(global: &GlobalArgs) -> Option<PathBuf> {
    global
        .config
        .clone()
        .or_else(|| variable("LONGSHORE_CONFIG").map(PathBuf::from))
}

/// A variable of the environment that holds something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
}
