//! What a store URL asks for.

pub(crate) mod copies;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind, StoreUrl};

use crate::config::copies::Copies;

/// A read URL.
#[derive(Clone)]
pub(crate) struct Config {
    /// Contact points, each with its port.
    pub(crate) hosts: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) keyspace: String,
    /// The data centre whose nodes are asked; found out where there is only one.
    pub(crate) dc: Option<String>,
    /// The number of the data centre in the keys; that which is registered for it, if not named.
    pub(crate) cell: Option<i16>,
    /// How many shards a queue gets when it is created here.
    pub(crate) shards: i32,
    pub(crate) schema: SchemaRule,
    /// How many copies of everything the keyspace gets where it is created here. Opening accepts
    /// a keyspace with a single copy only if this is 1.
    pub(crate) copies: Copies,
    /// How often an idle owner looks for work of other processes, at the least.
    pub(crate) poll: Duration,
    pub(crate) tls: Option<Tls>,
    pub(crate) timeout: Option<Duration>,
    /// The URL without its password, for messages.
    pub(crate) shown: String,
}

/// Whether opening may create tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaRule {
    /// What is missing is created where opening may create.
    Auto,
    /// Only `longshore schema apply` on a URL without this does.
    Manual,
}

/// How to speak TLS: files in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) ca: Option<PathBuf>,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

/// The file of the password is read where the store is opened.
const KEYS: [&str; 11] = [
    "dc",
    "cell",
    "shards",
    "schema",
    "rf",
    "poll",
    "timeout",
    "ca",
    "cert",
    "key",
    "password-file",
];

/// How often an idle owner may look for work of other processes, and does.
const POLL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(1);
const POLL_USUAL: Duration = Duration::from_millis(200);

impl Config {
    /// Reads a URL.
    pub(crate) fn from_url(url: &StoreUrl) -> Result<Self> {
        url.check_keys(&KEYS)?;
        if url.hosts().is_empty() {
            return Err(wrong(
                "it names no host; write it as cassandra://host1,host2/keyspace",
            ));
        }
        Ok(Self {
            hosts: url.hosts().iter().map(|host| with_port(host)).collect(),
            user: url.user().map(str::to_owned),
            password: url.password().map(str::to_owned),
            keyspace: keyspace(url)?,
            dc: url.query("dc").map(str::to_owned),
            cell: number(url, "cell", 0..=32_000)?.map(|cell| cell as i16),
            shards: number(url, "shards", 1..=256)?.unwrap_or(4),
            schema: match url.query("schema") {
                None | Some("auto") => SchemaRule::Auto,
                Some("manual") => SchemaRule::Manual,
                Some(_) => return Err(wrong("schema is auto or manual")),
            },
            copies: Copies::read(url.query("rf")).map_err(wrong)?,
            poll: poll(url)?,
            tls: read_tls(url)?,
            timeout: url.duration("timeout")?,
            shown: url.to_string(),
        })
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Config({})", self.shown)
    }
}

/// Hosts were checked when the URL was read: a port is a number, IPv6 has brackets.
fn with_port(host: &str) -> String {
    let has_port = match host.rsplit_once(']') {
        Some((_, rest)) => rest.starts_with(':'),
        None => host.contains(':'),
    };
    if has_port {
        host.to_owned()
    } else {
        format!("{host}:9042")
    }
}

fn keyspace(url: &StoreUrl) -> Result<String> {
    let name = url.path().trim_start_matches('/');
    let fine = name.len() <= 48
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if fine {
        return Ok(name.to_owned());
    }
    Err(wrong(
        "the keyspace wants 1 to 48 of a-z, 0-9 and _, the first a letter; write it as \
         cassandra://host1,host2/longshore",
    ))
}

fn number(url: &StoreUrl, key: &str, range: RangeInclusive<i32>) -> Result<Option<i32>> {
    let Some(text) = url.query(key) else {
        return Ok(None);
    };
    let number = text.parse::<i32>().ok();
    let number = number.filter(|number| range.contains(number));
    let (min, max) = (range.start(), range.end());
    let refused = || wrong(&format!("{key} wants a number from {min} to {max}"));
    number.ok_or_else(refused).map(Some)
}

/// An owner that looks more seldom would be late with its signs of life, and with what others ask
/// of it; one that looks more often does nothing else.
fn poll(url: &StoreUrl) -> Result<Duration> {
    let poll = url.duration("poll")?.unwrap_or(POLL_USUAL);
    if POLL.contains(&poll) {
        return Ok(poll);
    }
    let (min, max) = (POLL.start(), POLL.end());
    Err(wrong(&format!("poll wants a time from {min:?} to {max:?}")))
}

fn read_tls(url: &StoreUrl) -> Result<Option<Tls>> {
    let wanted = url.scheme() == "cassandra+tls";
    let file = |key: &str| url.query(key).map(PathBuf::from);
    let tls = Tls {
        ca: file("ca"),
        cert: file("cert"),
        key: file("key"),
    };
    if !wanted && tls != Tls::default() {
        return Err(wrong("ca, cert and key belong to cassandra+tls://"));
    }
    if tls.cert.is_some() != tls.key.is_some() {
        return Err(wrong("cert and key go together"));
    }
    Ok(wanted.then_some(tls))
}

fn wrong(what: &str) -> StoreError {
    misconfigured(format!("the store URL is not valid: {what}"))
}

pub(crate) fn misconfigured(what: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Misconfigured, "open", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config> {
        Config::from_url(&text.parse().unwrap())
    }

    #[test]
    fn every_key_is_read() {
        let one = read("cassandra://ann:pw@a,b:9999,[::1]/shop?dc=eu1&cell=2&shards=8&poll=50ms");
        let one = one.unwrap();
        assert_eq!(one.hosts, ["a:9042", "b:9999", "[::1]:9042"]);
        assert_eq!(
            (one.cell, one.shards, one.keyspace.as_str()),
            (Some(2), 8, "shop")
        );
        assert_eq!(one.dc.as_deref(), Some("eu1"));
        assert_eq!(one.poll, Duration::from_millis(50));
        assert!(
            one.tls.is_none() && one.schema == SchemaRule::Auto && one.copies == Copies::default()
        );
        let tls = read("cassandra+tls://a/shop?ca=/ca.pem&schema=manual&rf=1").unwrap();
        assert_eq!(tls.tls.unwrap().ca, Some(PathBuf::from("/ca.pem")));
        assert_eq!(
            (tls.schema, tls.copies.here("dc1")),
            (SchemaRule::Manual, Some(1))
        );
    }

    #[test]
    fn wrong_ones_are_refused_without_their_password() {
        for bad in [
            "cassandra:///shop",
            "cassandra://a",
            "cassandra://a/Shop",
            "cassandra://a/1shop",
            "cassandra://a/shop?shards=0",
            "cassandra://a/shop?rf=0",
            "cassandra://a/shop?cell=x",
            "cassandra://a/shop?schema=later",
            "cassandra://a/shop?poll=1ms",
            "cassandra://a/shop?poll=2s",
            "cassandra://a/shop?ca=/x",
            "cassandra+tls://a/shop?cert=/x",
            "cassandra://u:hunter2@a/shop?dcc=eu1",
        ] {
            let error = read(bad).expect_err(bad);
            assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{bad}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let config = read("cassandra://u:hunter2@a/shop").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
