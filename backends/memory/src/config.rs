//! The options of a `memory://` URL.

use longshore_core::{Result, StoreError, StoreErrorKind, StoreUrl};

/// What a URL asks for.
#[derive(Debug)]
pub(crate) struct Config {
    /// The name all handles of one store share; `None` is a store of this handle alone.
    pub(crate) name: Option<String>,
}

impl Config {
    /// Reads a URL. `timeout` is checked and accepted, so that a URL can be swapped for that of
    /// another store, but no call of this one ever waits for anything.
    pub(crate) fn from_url(url: &StoreUrl) -> Result<Self> {
        url.check_keys(&["timeout"])?;
        url.duration("timeout")?;
        let name = match url.hosts() {
            [] => None,
            [name] => Some(name.clone()),
            _ => return Err(misconfigured("it names several hosts")),
        };
        if !url.path().is_empty() || url.user().is_some() || url.password().is_some() {
            return Err(misconfigured("it holds more than a name"));
        }
        Ok(Self { name })
    }
}

fn misconfigured(what: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Misconfigured,
        "open",
        format!("the store URL is not valid: {what}; write it as memory://name"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config> {
        Config::from_url(&text.parse().unwrap())
    }

    #[test]
    fn a_url_is_a_name_and_perhaps_a_timeout() {
        assert_eq!(read("memory://").unwrap().name, None);
        assert_eq!(read("memory://a").unwrap().name.as_deref(), Some("a"));
        assert!(read("memory://a?timeout=2s").is_ok());
        for bad in [
            "memory://a,b",
            "memory://a/b",
            "memory://u@a",
            "memory://a?timeout=soon",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let refused = read("memory://a?timeuot=2s").unwrap_err().to_string();
        assert!(refused.contains("\"timeout\""), "{refused}");
    }
}
