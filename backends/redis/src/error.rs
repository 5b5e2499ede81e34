//! What the server's and the driver's errors mean.

use std::time::Duration;

use longshore_core::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError};

use crate::connection::server_errors::{cut, in_words};

/// Whether the script may have run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ran {
    No,
    Maybe,
}

struct Meaning {
    kind: StoreErrorKind,
    ran: Ran,
    words: &'static str,
}

const fn meaning(kind: StoreErrorKind, ran: Ran, words: &'static str) -> Meaning {
    Meaning { kind, ran, words }
}

/// The table: the code that the server answered, and what it means.
fn of_code(code: &str) -> Option<Meaning> {
    use StoreErrorKind as Kind;
    Some(match code {
        "OOM" => meaning(
            Kind::Overloaded,
            Ran::No,
            "the server is out of memory; workers still empty it, or raise maxmemory",
        ),
        "LOADING" => meaning(Kind::Unavailable, Ran::No, "the server is loading its data"),
        "CLUSTERDOWN" => meaning(
            Kind::Unavailable,
            Ran::No,
            "the cluster is not ready: no node serves some of its slots; `redis-cli --cluster check` \
             names them",
        ),
        "TRYAGAIN" => meaning(
            Kind::Unavailable,
            Ran::No,
            "the cluster is moving the keys of this queue to another node",
        ),
        "MISCONF" => meaning(
            Kind::Unavailable,
            Ran::No,
            "the server cannot save to its disk and refuses writes; look at its log",
        ),
        "BUSY" => meaning(
            Kind::Unavailable,
            Ran::No,
            "the server is busy with a long script",
        ),
        "NOAUTH" => meaning(
            Kind::Denied,
            Ran::No,
            "the server wants a password; put it into the URL as redis://user:password@host",
        ),
        "WRONGPASS" => meaning(Kind::Denied, Ran::No, "user or password is wrong"),
        "NOPERM" => meaning(
            Kind::Denied,
            Ran::Maybe,
            "the user lacks rights; docs/redis.md has the ACL line it needs",
        ),
        "WRONGTYPE" => meaning(
            Kind::Corrupt,
            Ran::Maybe,
            "a key of this store holds something else: another program uses the prefix; choose \
             another by ?prefix=NAME",
        ),
        "MOVED" | "ASK" | "CROSSSLOT" => meaning(
            Kind::Misconfigured,
            Ran::No,
            "the server is a node of a cluster; use redis+cluster://",
        ),
        _ => return of_failover(code),
    })
}

/// The same for what a server says that is no primary, or has too few replicas.
fn of_failover(code: &str) -> Option<Meaning> {
    use StoreErrorKind as Kind;
    Some(match code {
        "READONLY" => meaning(
            Kind::Unavailable,
            Ran::No,
            "the server is a read-only replica; a failover may be under way",
        ),
        "MASTERDOWN" => meaning(
            Kind::Unavailable,
            Ran::No,
            "the server is a replica that has lost its primary; a failover may be under way",
        ),
        "NOREPLICAS" => meaning(
            Kind::Unavailable,
            Ran::No,
            "the server has fewer replicas than min-replicas-to-write asks for",
        ),
        // What waits for replicas is told so when the server becomes one itself.
        "UNBLOCKED" => meaning(
            Kind::Unavailable,
            Ran::Maybe,
            "the server became a replica while a write waited for its own replicas; a failover is \
             under way",
        ),
        _ => return None,
    })
}

/// A failed call.
pub(crate) fn failed(operation: &'static str, error: RedisError) -> StoreError {
    let (kind, ran, words) = match unopened(operation, &error) {
        Some((kind, words)) => (kind, Ran::No, words),
        None => read(&error),
    };
    let refusal = StoreError::new(kind, operation, words);
    let refusal = match kind {
        StoreErrorKind::Overloaded => refusal.retry_after(Duration::from_secs(1)),
        _ => refusal,
    };
    let refusal = match ran {
        Ran::No => refusal,
        Ran::Maybe => refusal.effect_unknown(),
    };
    refusal.caused_by(error)
}

/// The same of a call to a cluster. There a redirection is no wrong URL: the driver followed some,
/// and the slot went on moving.
pub(crate) fn failed_in_cluster(operation: &'static str, error: RedisError) -> StoreError {
    if !matches!(error.code(), Some("MOVED" | "ASK")) {
        return failed(operation, error);
    }
    let words =
        "the cluster is moving the keys of this queue to another node; nothing was done, try again";
    StoreError::new(StoreErrorKind::Unavailable, operation, words).caused_by(error)
}

/// What is wrong with the address that a store was to be opened at. Nothing has been done there.
fn unopened(operation: &str, error: &RedisError) -> Option<(StoreErrorKind, String)> {
    use StoreErrorKind as Kind;
    let text = error.to_string();
    if operation != "open" || text.contains("certificate") || text.contains("tls") {
        return None;
    }
    // The server's word on the certificate of this side, in TLS's own terms.
    if let Some((_, alert)) = text.split_once("fatal alert: ") {
        let alert = cut(alert);
        let said = match &*alert {
            "CertificateRequired" => {
                "the server asks for a client certificate; give it one with cert= and key="
            }
            "UnknownCA"
            | "BadCertificate"
            | "CertificateUnknown"
            | "CertificateExpired"
            | "CertificateRevoked"
            | "UnsupportedCertificate"
            | "AccessDenied" => {
                "the server does not accept the client certificate of cert=; it has to be of the \
                 authority that the server trusts, and not expired"
            }
            _ => {
                "the server ended the TLS connection; see that both have a version and ciphers in common"
            }
        };
        return Some((
            Kind::Misconfigured,
            format!("no TLS connection: {said} ({alert})"),
        ));
    }
    if text.contains("switch database") {
        let said = "the server has no database of this number; it has 16, unless its setting \
                    `databases` says otherwise";
        return Some((Kind::Misconfigured, said.to_owned()));
    }
    match error.kind() {
        ErrorKind::Parse => Some((
            Kind::Misconfigured,
            "what answers there does not speak the protocol of Redis; check host and port"
                .to_owned(),
        )),
        ErrorKind::Io if text.contains("reset by peer") || text.contains("unexpected end") => Some((
            Kind::Unavailable,
            format!(
                "the server ended the connection at once: {}; where it speaks TLS, use rediss://",
                cut(&text)
            ),
        )),
        ErrorKind::Io if error.is_timeout() => Some((
            Kind::Unavailable,
            "the server did not answer in time; check that it is not stopped, and where the URL is \
             of TLS (rediss), that the server speaks TLS at this port"
                .to_owned(),
        )),
        ErrorKind::Io => Some((
            Kind::Unavailable,
            format!(
                "the server cannot be reached: {}; check that it runs, and host and port",
                cut(&text)
            ),
        )),
        _ => None,
    }
}

fn read(error: &RedisError) -> (StoreErrorKind, Ran, String) {
    let text = error.to_string();
    let detail = error.detail().unwrap_or_default();
    let code = error.code().unwrap_or_default();
    if code == "LONGSHORE" {
        return own_refusal(detail);
    }
    // An error inside a script keeps its code in the text only.
    let inner = detail.split([' ', ':']).find_map(of_code);
    if let Some(known) = of_code(code).or(inner) {
        let said = match known.kind {
            StoreErrorKind::Denied => format!("{}: {}", known.words, cut(detail)),
            _ => known.words.to_owned(),
        };
        return (known.kind, known.ran, said);
    }
    of_kind(error, &text)
}

/// Refusals of our own scripts.
fn own_refusal(words: &str) -> (StoreErrorKind, Ran, String) {
    if let Some(depth) = words.strip_prefix("full ") {
        let depth: String = depth.chars().take_while(char::is_ascii_digit).collect();
        let said = format!("the queue holds {depth} messages and its depth_max is reached");
        return (StoreErrorKind::Overloaded, Ran::No, said);
    }
    let said = "the queue was written by a newer longshore; upgrade this program";
    (StoreErrorKind::Unsupported, Ran::No, said.to_owned())
}

fn of_kind(error: &RedisError, text: &str) -> (StoreErrorKind, Ran, String) {
    use StoreErrorKind as Kind;
    if error.is_timeout() {
        let said = "the server did not answer in time".to_owned();
        return (Kind::Timeout, Ran::Maybe, said);
    }
    if error.is_connection_refusal() {
        let said = "the server cannot be reached: connection refused".to_owned();
        return (Kind::Unavailable, Ran::No, said);
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => (
            Kind::Denied,
            Ran::No,
            "the server refused user or password: one of them is wrong".to_owned(),
        ),
        ErrorKind::Io if text.contains("certificate") || text.contains("tls") => (
            Kind::Misconfigured,
            Ran::No,
            format!("no TLS connection: {}", cut(text)),
        ),
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => (
            Kind::Unavailable,
            Ran::Maybe,
            "the connection to the server broke".to_owned(),
        ),
        ErrorKind::MasterNameNotFoundBySentinel | ErrorKind::EmptySentinelList => (
            Kind::Misconfigured,
            Ran::No,
            format!(
                "no sentinel knows a service of the name in the URL{}; `redis-cli -p PORT sentinel \
                 masters` shows those that they watch",
                error
                    .detail()
                    .map(|name| format!(", {:?}", cut(name)))
                    .unwrap_or_default()
            ),
        ),
        ErrorKind::InvalidClientConfig => (Kind::Misconfigured, Ran::No, cut(text)),
        ErrorKind::Server(_) => match in_words(text) {
            // A script may have come far before it was denied something.
            Some((kind @ Kind::Denied, said)) => (kind, Ran::Maybe, said),
            Some((kind, said)) => (kind, Ran::No, said),
            None => unexpected(text),
        },
        _ => unexpected(text),
    }
}

fn unexpected(text: &str) -> (StoreErrorKind, Ran, String) {
    let said = format!("the server answered: {}", cut(text));
    (StoreErrorKind::Unexpected, Ran::Maybe, said)
}

/// The deadline passed before the server answered.
pub(crate) fn deadline_exceeded(operation: &'static str, after: Duration) -> StoreError {
    StoreError::new(
        StoreErrorKind::Timeout,
        operation,
        format!("no answer of the server in {after:?}"),
    )
    .effect_unknown()
}

/// The server answered something that this build does not know.
pub(crate) fn unexpected_reply(operation: &'static str, what: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        operation,
        format!("the server's answer is not understood: {what}"),
    )
    .effect_unknown()
}

#[cfg(test)]
mod tests;
