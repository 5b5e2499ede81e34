//! `doctor`: what it says of a keyspace with fewer copies than it should have.

use longshore_cassandra::CassandraStore;
use longshore_core::{Finding, QueueAdmin as _, Severity};

use super::stage::Stage;

async fn durability(store: &CassandraStore) -> Finding {
    let findings = store.check().await.expect("check");
    let mut found = findings.into_iter();
    let found = found.find(|one| one.check == "durability");
    found.expect("it is always told")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_are_a_warning_and_its_fix_makes_them_three() {
    let stage = Stage::new().await;
    let two = stage.open("&rf=2", true).await.expect("two copies");
    let finding = durability(&two).await;
    assert_eq!(finding.severity, Severity::Warning, "{finding:?}");
    // Both of them: a quorum of two is two.
    for words in [
        "copies of each message: 2;",
        "is on 2 of them",
        "no node may be away",
    ] {
        assert!(finding.found.contains(words), "{words}: {finding:?}");
    }

    let (statement, afterwards) = finding.fix.split_once(';').expect("a statement");
    assert!(afterwards.contains("nodetool repair"), "{finding:?}");
    stage.cql(statement).await;
    // The doctor is a process of its own.
    let three = stage.open("", false).await.expect("three copies");
    let finding = durability(&three).await;
    assert_eq!(finding.severity, Severity::Ok, "{finding:?}");
    let words = "copies of each message: 3;";
    assert!(finding.found.contains(words), "{finding:?}");
    stage.end().await;
}
