//! What a store URL asks for.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind, StoreUrl};

/// A read URL.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) servers: Servers,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
    pub(crate) tls: Option<Tls>,
    pub(crate) prefix: String,
    pub(crate) partitions: NonZeroU16,
    pub(crate) ack: AckLevel,
    pub(crate) timeout: Option<Duration>,
    /// How to log in to the Sentinels.
    pub(crate) sentinel_login: SentinelLogin,
    /// The URL without its password, for messages.
    pub(crate) shown: String,
}

/// Where the servers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Servers {
    Single {
        host: String,
        port: u16,
    },
    Socket(PathBuf),
    Sentinel {
        sentinels: Vec<(String, u16)>,
        service: String,
    },
    Cluster(Vec<(String, u16)>),
}

/// What an acknowledged enqueue has survived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AckLevel {
    /// The answer of the server.
    Memory,
    /// The server has written it to its disk: it runs `appendfsync always`, which is checked.
    Fsync,
    /// This many replicas have it.
    Replicas(u16),
}

/// How to log in to the Sentinels. A password has no place in the query of a URL, where it would
/// be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum SentinelLogin {
    /// Not at all.
    #[default]
    None,
    /// With the user and the password of the server.
    Same,
    /// With what a file says: `user:password`, or `:password`.
    File(PathBuf),
}

/// How to speak TLS: files in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) ca: Option<PathBuf>,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

/// The file of the password is read where the store is opened.
const KEYS: [&str; 10] = [
    "ack",
    "partitions",
    "timeout",
    "prefix",
    "db",
    "ca",
    "cert",
    "key",
    "sentinel-auth",
    "password-file",
];

impl Config {
    /// Reads a URL.
    pub(crate) fn from_url(url: &StoreUrl) -> Result<Self> {
        url.check_keys(&KEYS)?;
        let (scheme, tls) = match url.scheme().strip_prefix("rediss") {
            Some(rest) => (format!("redis{rest}"), true),
            None => (url.scheme().replace("valkey", "redis"), false),
        };
        let (servers, path_db) = servers(url, &scheme)?;
        let sentinel_login = sentinel_login(url, &servers)?;
        Ok(Self {
            servers,
            user: url.user().map(str::to_owned),
            password: url.password().map(str::to_owned),
            database: database(url, &path_db)?,
            tls: read_tls(url, tls)?,
            prefix: prefix(url)?,
            partitions: partitions(url)?,
            ack: ack(url)?,
            timeout: url.duration("timeout")?,
            sentinel_login,
            shown: url.to_string(),
        })
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Config({})", self.shown)
    }
}

fn servers(url: &StoreUrl, scheme: &str) -> Result<(Servers, String)> {
    let path = url.path().trim_start_matches('/');
    match scheme {
        "redis" => {
            let [host] = url.hosts() else {
                return Err(wrong(
                    "it wants one host; several are redis+sentinel:// or redis+cluster://",
                ));
            };
            let (host, port) = host_port(host, 6379);
            Ok((Servers::Single { host, port }, path.to_owned()))
        }
        "redis+unix" => {
            if !url.hosts().is_empty() || path.is_empty() {
                return Err(wrong(
                    "write the socket as redis+unix:///run/redis/redis.sock",
                ));
            }
            Ok((Servers::Socket(PathBuf::from(url.path())), String::new()))
        }
        "redis+sentinel" => {
            let (service, db) = path.split_once('/').unwrap_or((path, ""));
            if url.hosts().is_empty() || service.is_empty() {
                return Err(wrong("write it as redis+sentinel://host1,host2/service/0"));
            }
            let sentinels = hosts(url, 26379);
            let service = service.to_owned();
            Ok((Servers::Sentinel { sentinels, service }, db.to_owned()))
        }
        "redis+cluster" => {
            if url.hosts().is_empty() || !path.is_empty() {
                return Err(wrong(
                    "write it as redis+cluster://host1,host2; a cluster has no databases",
                ));
            }
            Ok((Servers::Cluster(hosts(url, 6379)), String::new()))
        }
        _ => Err(wrong("its scheme is none of this store")),
    }
}

fn hosts(url: &StoreUrl, port: u16) -> Vec<(String, u16)> {
    url.hosts()
        .iter()
        .map(|host| host_port(host, port))
        .collect()
}

/// Hosts were checked when the URL was read: a port is a number, IPv6 has brackets.
fn host_port(host: &str, default: u16) -> (String, u16) {
    let (name, port) = match host.rsplit_once(']') {
        Some((name, rest)) => (&name[1..], rest.strip_prefix(':')),
        None => host
            .split_once(':')
            .map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let port = port.and_then(|port| port.parse().ok()).unwrap_or(default);
    (name.to_owned(), port)
}

fn database(url: &StoreUrl, path: &str) -> Result<i64> {
    let text = match (path, url.query("db")) {
        ("", None) => return Ok(0),
        ("", Some(db)) => db,
        (path, None) => path,
        (_, Some(_)) => return Err(wrong("the database is named twice")),
    };
    match text.parse::<u16>() {
        Ok(number) => Ok(i64::from(number)),
        Err(_) => Err(wrong(
            "the database is not a number; write it as redis://host:6379/0",
        )),
    }
}

fn read_tls(url: &StoreUrl, wanted: bool) -> Result<Option<Tls>> {
    let file = |key: &str| url.query(key).map(PathBuf::from);
    let tls = Tls {
        ca: file("ca"),
        cert: file("cert"),
        key: file("key"),
    };
    if !wanted && tls != Tls::default() {
        return Err(wrong("ca, cert and key belong to rediss://"));
    }
    if tls.cert.is_some() != tls.key.is_some() {
        return Err(wrong("cert and key go together"));
    }
    Ok(wanted.then_some(tls))
}

fn sentinel_login(url: &StoreUrl, servers: &Servers) -> Result<SentinelLogin> {
    let Some(text) = url.query("sentinel-auth") else {
        return Ok(SentinelLogin::None);
    };
    if !matches!(servers, Servers::Sentinel { .. }) {
        return Err(wrong("sentinel-auth belongs to redis+sentinel://"));
    }
    match text {
        "same" if url.password().is_none() => Err(wrong(
            "sentinel-auth=same wants a password in front of the hosts",
        )),
        "same" => Ok(SentinelLogin::Same),
        path if path.starts_with('/') => Ok(SentinelLogin::File(PathBuf::from(path))),
        _ => Err(wrong(
            "sentinel-auth is same, or the path of a file that holds user:password",
        )),
    }
}

fn prefix(url: &StoreUrl) -> Result<String> {
    let prefix = url.query("prefix").unwrap_or("longshore");
    let fine = !prefix.is_empty()
        && prefix.len() <= 64
        && prefix
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
    if fine {
        return Ok(prefix.to_owned());
    }
    Err(wrong("prefix wants 1 to 64 letters, digits, _ . : -"))
}

fn partitions(url: &StoreUrl) -> Result<NonZeroU16> {
    let Some(text) = url.query("partitions") else {
        return Ok(NonZeroU16::MIN);
    };
    let number = text.parse::<NonZeroU16>().ok();
    number
        .filter(|number| number.get() <= 256)
        .ok_or_else(|| wrong("partitions wants a number from 1 to 256"))
}

fn ack(url: &StoreUrl) -> Result<AckLevel> {
    let text = url.query("ack").unwrap_or("memory");
    let replicas = text.strip_prefix("replicas:");
    match (text, replicas.and_then(|number| number.parse::<u16>().ok())) {
        ("memory", _) => Ok(AckLevel::Memory),
        ("fsync", _) => Ok(AckLevel::Fsync),
        (_, Some(number @ 1..=100)) => Ok(AckLevel::Replicas(number)),
        _ => Err(wrong("ack is memory, fsync or replicas:N")),
    }
}

pub(crate) fn wrong(what: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Misconfigured,
        "open",
        format!("the store URL is not valid: {what}"),
    )
}

#[cfg(test)]
mod tests;
