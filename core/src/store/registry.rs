//! Which scheme opens which store.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Backend, Floor, OpenOptions, Result, StoreError, StoreErrorKind, StoreUrl, nearest};

/// The future of an open.
pub type OpenFuture = Pin<Box<dyn Future<Output = Result<Backend>> + Send>>;

/// Makes the raw floor of a URL.
pub type OpenFloor = fn(&StoreUrl) -> Result<Arc<dyn Floor>>;

/// How one scheme is opened.
#[derive(Clone, Copy)]
pub struct Scheme {
    /// The scheme of the URL, such as `sqlite`.
    pub name: &'static str,
    /// The feature that compiles it in.
    pub feature: &'static str,
    /// Opens a URL of this scheme; `None` where it is not compiled in.
    pub open: Option<fn(StoreUrl, OpenOptions) -> OpenFuture>,
    /// The schema that a store of this scheme is created with, as text for its own shell.
    pub ddl: Option<fn() -> String>,
    /// The raw floor of a URL of this scheme.
    pub floor: Option<OpenFloor>,
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Scheme({}, {})",
            self.name,
            if self.open.is_some() { "in" } else { "out" }
        )
    }
}

/// The schemes a program knows: a value, filled by the program that links the stores.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    schemes: Vec<Scheme>,
}

impl Registry {
    /// Knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a scheme.
    #[must_use]
    pub fn with(mut self, scheme: Scheme) -> Self {
        self.schemes.push(scheme);
        self
    }

    /// The names of the schemes that are compiled in.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.schemes
            .iter()
            .filter(|scheme| scheme.open.is_some())
            .map(|scheme| scheme.name)
    }

    /// Opens the store of a URL.
    pub async fn open(&self, url: &StoreUrl, options: OpenOptions) -> Result<Backend> {
        let scheme = self.scheme(url)?;
        let open = scheme.open.ok_or_else(|| {
            StoreError::unsupported(
                "open",
                format!(
                    "{}:// stores are not compiled in; build with the feature `{}`",
                    scheme.name, scheme.feature
                ),
            )
        })?;
        open(url.clone(), options).await
    }

    /// The raw floor of a URL's store.
    pub fn floor(&self, url: &StoreUrl) -> Result<Arc<dyn Floor>> {
        let scheme = self.scheme(url)?;
        let floor = scheme.floor.ok_or_else(|| {
            StoreError::unsupported("bench", format!("{}:// has no raw floor", scheme.name))
        })?;
        floor(url)
    }

    /// The schema of a URL's store, as text for its own shell.
    pub fn ddl(&self, url: &StoreUrl) -> Result<String> {
        let scheme = self.scheme(url)?;
        let ddl = scheme.ddl.ok_or_else(|| {
            StoreError::unsupported("schema", format!("{}:// has no schema", scheme.name))
        })?;
        Ok(ddl())
    }

    fn scheme(&self, url: &StoreUrl) -> Result<&Scheme> {
        self.schemes
            .iter()
            .find(|scheme| scheme.name == url.scheme())
            .ok_or_else(|| {
                let known: Vec<_> = self.schemes.iter().map(|scheme| scheme.name).collect();
                let hint = nearest(url.scheme(), known.iter().copied()).map_or_else(
                    || "known".to_owned(),
                    |name| format!("did you mean {name}://? Known"),
                );
                StoreError::new(
                    StoreErrorKind::Misconfigured,
                    "open",
                    format!(
                        "no store has the scheme {}://; {hint} are {}",
                        url.scheme(),
                        known.join(", ")
                    ),
                )
            })
    }
}
