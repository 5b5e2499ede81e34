//! What a store URL and the open options ask for.

use std::path::PathBuf;
use std::time::Duration;

use longshore_core::{OpenOptions, Result, StoreError, StoreErrorKind, StoreUrl};

/// The query keys of a `sqlite://` URL.
const KEYS: [&str; 2] = ["sync", "timeout"];

/// Longer than anybody waits: a deadline further away would be beyond what clocks can show.
pub(crate) const SPAN_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// When a write counts as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Durability {
    /// Once it is on the disk: an acknowledged write survives a power cut.
    #[default]
    Full,
    /// Once the system has it: it survives the end of every process; a power cut may take what
    /// was written since the last checkpoint, never more.
    Normal,
}

impl Durability {
    /// The value of `PRAGMA synchronous`.
    pub(crate) const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// How a file is opened.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The file, as it was written in the URL.
    pub(crate) path: PathBuf,
    /// `?sync=full` or `?sync=normal`. Default full.
    pub(crate) durability: Durability,
    /// Every call ends by then. `?timeout=` wins over the options.
    pub(crate) call_timeout: Duration,
    /// Create what is missing.
    pub(crate) create: bool,
}

impl Config {
    /// Reads and checks a URL.
    pub(crate) fn of(url: &StoreUrl, options: &OpenOptions) -> Result<Self> {
        url.check_keys(&KEYS)?;
        if url.path().is_empty() || url.path().ends_with('/') {
            return Err(misconfigured(
                "the URL names no file; write sqlite://./queue.db or sqlite:///var/lib/queue.db",
            ));
        }
        let durability = match url.query("sync") {
            None | Some("full") => Durability::Full,
            Some("normal") => Durability::Normal,
            Some("off") => {
                return Err(misconfigured(
                    "sync=off can lose the whole file at a power cut and is not offered; \
                     use sync=normal",
                ));
            }
            Some(_) => {
                return Err(misconfigured("sync must be full (the default) or normal"));
            }
        };
        Ok(Self {
            path: PathBuf::from(url.path()),
            durability,
            call_timeout: url
                .duration("timeout")?
                .unwrap_or(options.call_timeout)
                .min(SPAN_MAX),
            create: options.create,
        })
    }
}

fn misconfigured(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Misconfigured, "open", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Config> {
        let url = format!("sqlite://./q.db{query}");
        Config::of(&url.parse().unwrap(), &OpenOptions::default())
    }

    #[test]
    fn a_url_is_a_path_a_durability_and_a_timeout() {
        let plain = read("").unwrap();
        assert_eq!(plain.durability, Durability::Full);
        assert_eq!(plain.call_timeout, Duration::from_secs(5));
        let set = read("?sync=normal&timeout=250ms").unwrap();
        assert_eq!(set.durability, Durability::Normal);
        assert_eq!(set.call_timeout, Duration::from_millis(250));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        for (query, hint) in [
            ("?snyc=full", "did you mean \"sync\""),
            ("?sync=off", "sync=normal"),
            ("?sync=maybe", "full"),
            ("?timeout=soon", "5s"),
        ] {
            let error = read(query).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
            assert!(error.to_string().contains(hint), "{query}: {error}");
        }
        let nameless = Config::of(&"sqlite://".parse().unwrap(), &OpenOptions::default());
        assert!(nameless.is_err());
    }
}
