//! Store URLs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::{StoreError, StoreErrorKind, nearest};

/// The URL of a store, split into its parts. Its password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl {
    scheme: String,
    user: Option<String>,
    password: Option<String>,
    hosts: Vec<String>,
    path: String,
    query: BTreeMap<String, String>,
}

/// Why a URL is none. Never holds the text it was made from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store URL is not valid: {0}")]
pub struct UrlError(String);

impl UrlError {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<UrlError> for StoreError {
    fn from(error: UrlError) -> Self {
        Self::new(StoreErrorKind::Misconfigured, "open", error.to_string())
    }
}

impl StoreUrl {
    /// The scheme, such as `redis`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The user name, decoded.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password, decoded. The one place that gives it away.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The same URL with this password, where it was read elsewhere.
    #[must_use]
    pub fn with_password(mut self, password: String) -> Self {
        self.password = Some(password);
        self
    }

    /// `host:port` parts, separated by commas in the URL. `memory://name` has the host `name`.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The path behind the hosts, decoded, with its leading slash; empty if there is none. For
    /// `sqlite://./rel.db` the path is `./rel.db` and there are no hosts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value of a query key.
    pub fn query(&self, key: &str) -> Option<&str> {
        self.query.get(key).map(String::as_str)
    }

    /// The same URL with this value of a query key.
    #[must_use]
    pub fn with_query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.insert(key.into(), value.into());
        self
    }

    /// Refuses query keys that are not among `known`, naming the nearest.
    pub fn check_keys(&self, known: &[&str]) -> Result<(), UrlError> {
        let Some(unknown) = self.query.keys().find(|key| !known.contains(&key.as_str())) else {
            return Ok(());
        };
        let shown: String = unknown
            .chars()
            .take(40)
            .flat_map(char::escape_debug)
            .collect();
        let hint = match nearest(unknown, known.iter().copied()) {
            Some(near) => format!("; did you mean {near:?}?"),
            None if known.is_empty() => format!("; {}:// takes none", self.scheme),
            None => format!("; {}:// takes {}", self.scheme, known.join(", ")),
        };
        Err(UrlError::new(format!("unknown key {shown:?}{hint}")))
    }

    /// A duration of the query, such as `500ms`, `5s` or `2m`.
    pub fn duration(&self, key: &str) -> Result<Option<Duration>, UrlError> {
        let Some(text) = self.query(key) else {
            return Ok(None);
        };
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => {
                return Err(UrlError::new(format!(
                    "{key} wants a duration such as 500ms, 5s, 2m"
                )));
            }
        };
        let millis = number
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(factor));
        match millis {
            Some(1..=43_200_000) => Ok(millis.map(Duration::from_millis)),
            _ => Err(UrlError::new(format!("{key} must be between 1ms and 720m"))),
        }
    }

    fn shown_authority(&self) -> String {
        let mut text = String::new();
        if let Some(user) = &self.user {
            text += &escape(user);
        }
        if self.password.is_some() {
            text += ":***";
        }
        if self.user.is_some() || self.password.is_some() {
            text.push('@');
        }
        text + &self.hosts.join(",")
    }
}

fn escape(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn decode(text: &str) -> Result<String, UrlError> {
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| UrlError::new("a percent-encoded part is not UTF-8"))?;
    if decoded.chars().any(char::is_control) {
        return Err(UrlError::new("it holds a control character"));
    }
    Ok(decoded.into_owned())
}

/// The URL with its password as `***`.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}{}",
            self.scheme,
            self.shown_authority(),
            self.path
        )?;
        for (index, (key, value)) in self.query.iter().enumerate() {
            let shown = if is_secret(key) { "***" } else { value };
            write!(f, "{}{key}={shown}", if index == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

/// The path of a secret is none, and is wanted in commands that others paste.
fn is_secret(key: &str) -> bool {
    let is_word = |word: &&str| key.contains(*word);
    let words = ["password", "secret", "token", "key_pass"];
    words.iter().any(is_word) && !key.ends_with("-file")
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

impl FromStr for StoreUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let scheme = text.split_once(':').map(|(scheme, _)| scheme);
            return Err(UrlError::new(match scheme {
                Some("sqlite") => {
                    "behind the scheme two slashes are missing; write sqlite://./queue.db"
                }
                Some(_) => "behind the scheme two slashes are missing, as in redis://host:6379/0",
                None => "it has no scheme; write it as sqlite://./queue.db or redis://host:6379/0",
            }));
        };
        let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '+');
        if !scheme_ok {
            return Err(UrlError::new(
                "its scheme is not made of small letters, digits and +",
            ));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut url = Self {
            scheme: scheme.to_owned(),
            user: None,
            password: None,
            hosts: Vec::new(),
            path: String::new(),
            query: parse_query(query)?,
        };
        if scheme == "sqlite" {
            // Everything is a path here: sqlite://./rel.db and sqlite:///abs/file.db.
            url.path = decode(place)?;
            if has_login(&url.path) {
                return Err(UrlError::new(
                    "sqlite:// takes a path and neither user nor host; write sqlite:///folder/queue.db, \
                     or sqlite://./queue.db below this folder",
                ));
            }
        } else {
            url.read_place(place)?;
        }
        Ok(url)
    }
}

impl StoreUrl {
    fn read_place(&mut self, place: &str) -> Result<(), UrlError> {
        let (authority, path) = match place.find('/') {
            Some(at) => place.split_at(at),
            None => (place, ""),
        };
        self.path = decode(path)?;
        // The last @ ends the user part: an unescaped one in a password must not leak into a host.
        let hosts = match authority.rsplit_once('@') {
            Some((user, hosts)) => {
                let (name, password) = match user.split_once(':') {
                    Some((name, password)) => (name, Some(decode(password)?)),
                    None => (user, None),
                };
                self.user = (!name.is_empty()).then(|| decode(name)).transpose()?;
                self.password = password;
                hosts
            }
            None => authority,
        };
        for host in hosts.split(',').filter(|_| !hosts.is_empty()) {
            self.hosts.push(check_host(host)?);
        }
        // A password with a slash in it: what was meant for its end would be shown as a path.
        if !self.hosts.is_empty() && self.path.contains('@') {
            return Err(UrlError::new(
                "there is an @ behind the first /; write a / in a user or password as %2F",
            ));
        }
        Ok(())
    }
}

/// Whether a path begins as a place on a server does: `user:password@`. It would be shown as a
/// path.
fn has_login(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    first
        .rsplit_once('@')
        .is_some_and(|(login, _)| login.contains(':'))
}

fn check_host(host: &str) -> Result<String, UrlError> {
    let host = decode(host)?;
    if host.is_empty() {
        return Err(UrlError::new("a host is empty"));
    }
    if host.len() > 255 || host.contains(char::is_whitespace) || host.contains(['@', '/', '?', '#'])
    {
        return Err(UrlError::new(
            "a host is too long, or holds a blank or one of @ / ? #",
        ));
    }
    let (name, port) = match host.rsplit_once(']') {
        Some((name, "")) if name.starts_with('[') => (name, None),
        Some((name, rest)) if name.starts_with('[') && rest.starts_with(':') => {
            (name, Some(&rest[1..]))
        }
        Some(_) => {
            return Err(UrlError::new(
                "brackets in a host belong around an address, such as [::1]:6379",
            ));
        }
        None => match host.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err(UrlError::new(
                    "an IPv6 address needs brackets, such as [::1]:6379",
                ));
            }
            Some((name, port)) => (name, Some(port)),
            None => (host.as_str(), None),
        },
    };
    if name.is_empty() {
        return Err(UrlError::new("a host is empty"));
    }
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
        return Err(UrlError::new("a port is not a number from 1 to 65535"));
    }
    Ok(host)
}

fn parse_query(query: &str) -> Result<BTreeMap<String, String>, UrlError> {
    let mut pairs = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| UrlError::new("a query key has no value; write ?key=value"))?;
        if pairs.insert(decode(key)?, decode(value)?).is_some() {
            return Err(UrlError::new("a query key is set twice"));
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests;
