//! Tests of `error`.

use super::*;
use longshore_core::Effect;

fn server(line: &str) -> StoreError {
    let (code, detail) = line.split_once(' ').unwrap();
    failed(
        "enqueue",
        redis::make_extension_error(code.into(), Some(detail.into())),
    )
}

use StoreErrorKind as Kind;

const TABLE: [(&str, Kind, Effect); 14] = [
    (
        "OOM command not allowed",
        Kind::Overloaded,
        Effect::NotApplied,
    ),
    (
        "READONLY You can't write",
        Kind::Unavailable,
        Effect::NotApplied,
    ),
    (
        "LOADING Redis is loading",
        Kind::Unavailable,
        Effect::NotApplied,
    ),
    (
        "MISCONF Redis is configured",
        Kind::Unavailable,
        Effect::NotApplied,
    ),
    (
        "NOREPLICAS Not enough",
        Kind::Unavailable,
        Effect::NotApplied,
    ),
    ("BUSY Redis is busy", Kind::Unavailable, Effect::NotApplied),
    (
        "NOAUTH Authentication required.",
        Kind::Denied,
        Effect::NotApplied,
    ),
    ("WRONGPASS invalid", Kind::Denied, Effect::NotApplied),
    ("NOPERM no permission", Kind::Denied, Effect::Unknown),
    (
        "WRONGTYPE Operation against",
        Kind::Corrupt,
        Effect::Unknown,
    ),
    (
        "MOVED 1 127.0.0.1:1",
        Kind::Misconfigured,
        Effect::NotApplied,
    ),
    (
        "LONGSHORE full 7 script",
        Kind::Overloaded,
        Effect::NotApplied,
    ),
    (
        "LONGSHORE newer layout 2",
        Kind::Unsupported,
        Effect::NotApplied,
    ),
    ("ERR whatever", Kind::Unexpected, Effect::Unknown),
];

#[test]
fn a_redirection_is_no_wrong_url_where_the_url_is_that_of_a_cluster() {
    let redirected = || redis::make_extension_error("MOVED".into(), Some("3999 h:7000".into()));
    let error = failed_in_cluster("enqueue", redirected());
    assert_eq!(
        (error.kind(), error.effect()),
        (Kind::Unavailable, Effect::NotApplied)
    );
    assert!(error.message().contains("try again"), "{error}");
    assert_eq!(failed("enqueue", redirected()).kind(), Kind::Misconfigured);
}

#[test]
fn every_row_of_the_table_has_its_kind_and_effect() {
    for (line, kind, effect) in TABLE {
        let error = server(line);
        assert_eq!(
            (error.kind(), error.effect()),
            (kind, effect),
            "{line}: {error}"
        );
    }
    assert!(
        server("LONGSHORE full 7 script")
            .to_string()
            .contains("holds 7 messages")
    );
    assert_eq!(
        deadline_exceeded("ack", Duration::from_secs(5)).effect(),
        Effect::Unknown
    );
}
