//! Tests of `error`.

use super::*;
use longshore_core::Effect;
use scylla::errors::WriteType;
use scylla::frame::types::Consistency;

fn server(error: DbError) -> StoreError {
    let attempt = RequestAttemptError::DbError(error, "as it said\n".to_owned());
    failed("enqueue", ExecutionError::LastAttemptError(attempt))
}

#[test]
fn every_row_of_the_table_has_its_kind_and_effect() {
    let unavailable = DbError::Unavailable {
        consistency: Consistency::LocalQuorum,
        required: 2,
        alive: 1,
    };
    let write_timeout = DbError::WriteTimeout {
        consistency: Consistency::LocalQuorum,
        received: 1,
        required: 2,
        write_type: WriteType::Cas,
    };
    let read_timeout = DbError::ReadTimeout {
        consistency: Consistency::LocalQuorum,
        received: 1,
        required: 2,
        data_present: false,
    };
    let write_failure = DbError::WriteFailure {
        consistency: Consistency::LocalQuorum,
        received: 1,
        required: 2,
        numfailures: 1,
        write_type: WriteType::Simple,
    };
    let table = [
        (write_timeout, Kind::Timeout, Effect::Unknown),
        (read_timeout, Kind::Timeout, Effect::Unknown),
        (write_failure, Kind::Unavailable, Effect::Unknown),
        (unavailable, Kind::Unavailable, Effect::NotApplied),
        (DbError::Overloaded, Kind::Overloaded, Effect::NotApplied),
        (
            DbError::IsBootstrapping,
            Kind::Unavailable,
            Effect::NotApplied,
        ),
        (
            DbError::AuthenticationError,
            Kind::Denied,
            Effect::NotApplied,
        ),
        (DbError::Unauthorized, Kind::Denied, Effect::NotApplied),
        (DbError::Invalid, Kind::Misconfigured, Effect::NotApplied),
        (DbError::ServerError, Kind::Unexpected, Effect::Unknown),
    ];
    for (error, kind, effect) in table {
        let error = server(error);
        assert_eq!((error.kind(), error.effect()), (kind, effect), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn a_connection_that_cannot_be_made_says_why() {
    let broken = "all failed; Last connection failed with: ";
    for (why, kind) in [
        (
            "invalid peer certificate: UnknownIssuer",
            Kind::Misconfigured,
        ),
        (
            "received fatal alert: CertificateRequired",
            Kind::Misconfigured,
        ),
        ("Failed to deserialize frame: early eof", Kind::Unavailable),
        ("Connection refused (os error 111)", Kind::Unavailable),
        (
            "Authentication failed - bad credentials, Error message: wrong password",
            Kind::Denied,
        ),
        (
            "Authentication failed - bad credentials, Error message: Unable to perform \
             authentication: Operation timed out",
            Kind::Unavailable,
        ),
    ] {
        let meant = of_connection(last_of(&format!("{broken}{why}")));
        assert_eq!(meant.kind, kind, "{why}");
        assert!(!meant.words.contains("all failed"), "{}", meant.words);
    }
}

#[test]
fn errors_of_the_driver_have_their_kind_and_effect() {
    let no_stream = RequestAttemptError::UnableToAllocStreamId;
    for (error, kind, effect) in [
        (
            ExecutionError::RequestTimeout(Duration::from_secs(5)),
            Kind::Timeout,
            Effect::Unknown,
        ),
        (
            ExecutionError::LastAttemptError(no_stream),
            Kind::Overloaded,
            Effect::NotApplied,
        ),
        (
            ExecutionError::EmptyPlan,
            Kind::Unavailable,
            Effect::NotApplied,
        ),
    ] {
        let error = failed("settle", error);
        assert_eq!((error.kind(), error.effect()), (kind, effect), "{error}");
    }
}
