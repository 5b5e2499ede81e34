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
    /// The option that names it again, where it is a file that does.
    told_by: Option<String>,
}

impl StoreSetting {
    /// The store of a command: `--store`, `LONGSHORE_STORE`, what the file of
    /// `LONGSHORE_STORE_FILE` holds, the `[store]` of the file that `--config` or
    /// `LONGSHORE_CONFIG` names, or a file in the working directory.
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
        match (
            variable("LONGSHORE_STORE"),
            variable("LONGSHORE_STORE_FILE"),
        ) {
            (Some(_), Some(_)) => Err(CliError::new(
                Exit::Misconfigured,
                "LONGSHORE_STORE and LONGSHORE_STORE_FILE are both set; set one of them",
            )),
            (Some(url), None) => Self::parse("LONGSHORE_STORE", &url).map(Some),
            (None, Some(file)) => Self::in_file(Path::new(&file)).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The store whose URL is all that a file holds, so that its password stands in no environment.
    fn in_file(file: &Path) -> Result<Self> {
        let source = format!("LONGSHORE_STORE_FILE={}", file.display());
        let url = std::fs::read_to_string(file).map_err(|error| {
            CliError::new(
                Exit::Misconfigured,
                format!("{source}: the file cannot be read: {error}"),
            )
        })?;
        Self::parse(&source, url.trim())
    }

    /// A store that some place names.
    pub(crate) fn new(url: StoreUrl, source: String) -> Self {
        Self {
            url,
            source,
            told_by: None,
        }
    }

    /// The `[store]` of route files.
    pub(crate) fn of_route_files(url: &StoreUrl, files: &[PathBuf]) -> Self {
        let names: Vec<String> = files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let mut setting = Self::new(url.clone(), format!("[store] of {}", names.join(", ")));
        setting.told_by = names.first().map(|name| format!("--config {name}"));
        setting
    }

    /// The store of an option or a variable.
    pub(crate) fn parse(source: &str, url: &str) -> Result<Self> {
        let url = url
            .parse()
            .map_err(|error| CliError::new(Exit::Misconfigured, format!("{source}: {error}")))?;
        Ok(Self::new(url, source.to_owned()))
    }

    /// The option that another command needs to find the same store; empty where it needs none.
    pub(crate) fn option_for_others(&self) -> String {
        let found = StoreSetting::told(&GlobalArgs::default());
        let without = match found {
            Ok(Some(told)) => Some(told),
            _ => Self::parse("the default store", DEFAULT_STORE).ok(),
        };
        if without.is_some_and(|without| without.url == self.url) {
            return String::new();
        }
        let option = self.told_by.clone();
        option.unwrap_or_else(|| format!("--store '{}'", self.url)) + " "
    }

    fn of_file(file: &Path) -> Result<Self> {
        let files = [file.to_owned()];
        match route_files::load(&files)?.store_url() {
            Some(url) => Ok(Self::of_route_files(url, &files)),
            None => Self::parse("the default store", DEFAULT_STORE),
        }
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
