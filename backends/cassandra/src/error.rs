//! What the errors of the servers and of the driver mean.

use std::time::Duration;

use longshore_core::{StoreError, StoreErrorKind as Kind};
use scylla::errors::{
    DbError, ExecutionError, MetadataError, NewSessionError, PrepareError, RequestAttemptError,
};

/// Whether the statement may have had an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ran {
    No,
    Maybe,
}

struct Meaning {
    kind: Kind,
    ran: Ran,
    words: String,
}

fn meaning(kind: Kind, ran: Ran, words: impl Into<String>) -> Meaning {
    Meaning {
        kind,
        ran,
        words: words.into(),
    }
}

/// The table: what the server answered, and what it means.
fn of_server(error: &DbError, text: &str) -> Meaning {
    match error {
        DbError::Unavailable {
            required, alive, ..
        } => meaning(
            Kind::Unavailable,
            Ran::No,
            format!(
                "too few replicas are up: {required} are needed and {alive} are there; nothing \
                 is lost, try again when nodes are back"
            ),
        ),
        DbError::Overloaded | DbError::RateLimitReached { .. } => meaning(
            Kind::Overloaded,
            Ran::No,
            "the servers are overloaded and refuse requests",
        ),
        DbError::IsBootstrapping => meaning(Kind::Unavailable, Ran::No, "the server is starting"),
        DbError::ReadTimeout {
            received, required, ..
        }
        | DbError::WriteTimeout {
            received, required, ..
        } => meaning(
            Kind::Timeout,
            Ran::Maybe,
            format!("{received} of {required} replicas answered in time"),
        ),
        DbError::ReadFailure { .. } | DbError::WriteFailure { .. } => meaning(
            Kind::Unavailable,
            Ran::Maybe,
            format!("replicas failed; look at their logs: {}", cut(text)),
        ),
        DbError::AuthenticationError => meaning(
            Kind::Denied,
            Ran::No,
            "the server refused user or password: one of them is wrong or missing in the URL",
        ),
        DbError::Unauthorized => meaning(
            Kind::Denied,
            Ran::No,
            format!(
                "the role lacks a right; docs/cassandra.md has the GRANTs it needs: {}",
                cut(text)
            ),
        ),
        DbError::Invalid | DbError::ConfigError | DbError::SyntaxError => meaning(
            Kind::Misconfigured,
            Ran::No,
            format!("the server refused the statement: {}", cut(text)),
        ),
        _ => meaning(
            Kind::Unexpected,
            Ran::Maybe,
            format!("the server answered: {}", cut(text)),
        ),
    }
}

fn of_attempt(error: &RequestAttemptError) -> Meaning {
    match error {
        RequestAttemptError::DbError(error, text) => of_server(error, text),
        RequestAttemptError::SerializationError(_)
        | RequestAttemptError::CqlRequestSerialization(_) => meaning(
            Kind::Unexpected,
            Ran::No,
            format!("the request cannot be written: {}", cut(&error.to_string())),
        ),
        RequestAttemptError::UnableToAllocStreamId => meaning(
            Kind::Overloaded,
            Ran::No,
            "too many requests are under way on each connection",
        ),
        RequestAttemptError::BrokenConnectionError(_) => meaning(
            Kind::Unavailable,
            Ran::Maybe,
            "the connection to the server broke",
        ),
        other => meaning(
            Kind::Unexpected,
            Ran::Maybe,
            format!("the answer is not understood: {}", cut(&other.to_string())),
        ),
    }
}

fn read(error: &ExecutionError) -> Meaning {
    match error {
        ExecutionError::LastAttemptError(error) => of_attempt(error),
        ExecutionError::RequestTimeout(after) => meaning(
            Kind::Timeout,
            Ran::Maybe,
            format!("no answer of the servers in {after:?}"),
        ),
        ExecutionError::ConnectionPoolError(_) | ExecutionError::EmptyPlan => meaning(
            Kind::Unavailable,
            Ran::No,
            "too few servers of the data centre can be reached; nothing is lost, try again when \
             nodes are back",
        ),
        ExecutionError::SchemaAgreementError(_) => meaning(
            Kind::Unavailable,
            Ran::Maybe,
            "the nodes do not agree on the tables yet; see that all of them are up and reach each \
             other, then run `longshore schema apply` again after a minute, which is when a node asks \
             for a change that it missed (`nodetool describecluster` names the node that differs; \
             where it stays so, restart that one)",
        ),
        other => meaning(Kind::Unexpected, Ran::Maybe, cut(&other.to_string())),
    }
}

/// The error of a call whose statement failed.
pub(crate) fn failed(operation: &'static str, error: ExecutionError) -> StoreError {
    let meant = read(&error);
    said(operation, meant).caused_by(error)
}

/// Whether an attempt surely had no effect.
pub(crate) fn was_refused(error: &RequestAttemptError) -> bool {
    of_attempt(error).ran == Ran::No
}

/// The error of a statement that cannot be prepared.
pub(crate) fn unprepared(error: PrepareError) -> StoreError {
    let meant = match &error {
        PrepareError::AllAttemptsFailed { first_attempt, .. } => match first_attempt {
            RequestAttemptError::DbError(DbError::Invalid, text) => meaning(
                Kind::Misconfigured,
                Ran::No,
                format!(
                    "the tables are missing or are of another version; run `longshore schema \
                     apply --store URL`: {}",
                    cut(text)
                ),
            ),
            other => of_attempt(other),
        },
        other => meaning(Kind::Unavailable, Ran::No, cut(&other.to_string())),
    };
    said("open", meant).caused_by(error)
}

/// The error of a cluster that cannot be reached.
pub(crate) fn unreachable(error: NewSessionError) -> StoreError {
    let text = error.to_string();
    let meant = match &error {
        NewSessionError::FailedToResolveAnyHostname(names) => meaning(
            Kind::Unavailable,
            Ran::No,
            format!("no host name can be resolved: {}", cut(&names.join(", "))),
        ),
        NewSessionError::MetadataError(MetadataError::ConnectionPoolError(_)) => {
            of_connection(last_of(&text))
        }
        _ => meaning(Kind::Unavailable, Ran::No, cut(&text)),
    };
    said("open", meant).caused_by(error)
}

/// What broke the last connection: the driver tells all the way to it.
fn last_of(text: &str) -> &str {
    let last = text.rsplit("Last connection failed with: ").next();
    last.unwrap_or(text)
}

/// Why no connection could be made, by what the driver says of it.
fn of_connection(why: &str) -> Meaning {
    let lower = why.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["unable to perform authentication"]) {
        let words = "the server could not look up user and password, as too few nodes are up; nothing \
                     is lost, try again when nodes are back (and keep a copy of system_auth on \
                     each node)";
        return meaning(Kind::Unavailable, Ran::No, words);
    }
    if says(&["authentication", "credentials"]) {
        return of_server(&DbError::AuthenticationError, why);
    }
    if says(&["certificate", "fatal alert", "tls"]) {
        let words = format!(
            "no TLS connection: {}; see that the nodes' certificates have their addresses among \
             their names and are of the authority that ca gives, and that cert and key are there \
             where the nodes ask for them",
            cut(why)
        );
        return meaning(Kind::Misconfigured, Ran::No, words);
    }
    if says(&["deserialize frame", "frame header"]) {
        let words = "no server can be reached: what listens there does not speak Cassandra's \
                     protocol, or not without TLS (cassandra+tls://)";
        return meaning(Kind::Unavailable, Ran::No, words);
    }
    if says(&["setup request"]) {
        let words = format!(
            "no server can be reached: it ended the connection at its start, as one does that \
             asks for TLS or for a client certificate (cert, key): {}",
            cut(why)
        );
        return meaning(Kind::Unavailable, Ran::No, words);
    }
    let words = format!("no server can be reached: {}", cut(why));
    meaning(Kind::Unavailable, Ran::No, words)
}

fn said(operation: &'static str, meant: Meaning) -> StoreError {
    let error = StoreError::new(meant.kind, operation, meant.words);
    let error = match meant.kind {
        Kind::Overloaded => error.retry_after(Duration::from_secs(1)),
        _ => error,
    };
    match meant.ran {
        Ran::No => error,
        Ran::Maybe => error.effect_unknown(),
    }
}

/// The server answered something that this build does not know.
pub(crate) fn unexpected_reply(
    operation: &'static str,
    what: &dyn std::fmt::Display,
) -> StoreError {
    let words = format!("the answer is not understood: {}", cut(&what.to_string()));
    StoreError::new(Kind::Corrupt, operation, words).effect_unknown()
}

/// What the server says is echoed escaped and cut.
fn cut(text: &str) -> String {
    text.chars()
        .take(300)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests;
