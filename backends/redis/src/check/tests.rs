//! Tests of `check`.

use super::*;

#[test]
fn a_full_server_is_a_problem_and_a_nearly_full_one_a_warning() {
    let severity = |percent| memory_used(percent).severity;
    assert_eq!(
        [84, 85, 99].map(severity),
        [Severity::Ok, Severity::Warning, Severity::Warning,]
    );
    for percent in [100, 140] {
        let full = memory_used(percent);
        assert_eq!(full.severity, Severity::Problem);
        assert!(full.fix.contains("CONFIG SET maxmemory"), "{full:?}");
    }
}

#[test]
fn missing_replicas_are_counted() {
    assert_eq!(missing_replicas(AckLevel::Memory, 0), None);
    assert_eq!(missing_replicas(AckLevel::Replicas(2), 2), None);
    let said = missing_replicas(AckLevel::Replicas(2), 1).unwrap();
    assert!(
        said.contains("has 1") && said.contains("waits for 2"),
        "{said}"
    );
}

#[test]
fn clocks_that_are_apart_are_named_with_the_side() {
    let at = Duration::from_secs;
    let severity = |server, asked, answered| clock(server, asked, answered).severity;
    assert_eq!(severity(at(100), at(99), at(101)), Severity::Ok);
    // A slow answer says little: the server may have looked at any time in between.
    assert_eq!(severity(at(100), at(90), at(110)), Severity::Ok);
    assert_eq!(severity(at(105), at(99), at(101)), Severity::Warning);
    let behind = clock(at(90), at(99), at(101));
    assert!(behind.found.contains("9.0 s behind"), "{behind:?}");
}
