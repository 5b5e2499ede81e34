//! `doctor`: what it says of tables that were set badly, and that its fix is one.

use longshore_core::{Finding, QueueAdmin as _, Severity};

use super::stage::Stage;

fn of<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let found = findings.iter().find(|one| one.check == check);
    found.unwrap_or_else(|| panic!("nothing of {check}: {findings:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_settings_are_named_with_the_statement_that_mends_them() {
    let stage = Stage::new().await;
    let store = stage.open("", true).await.expect("open");
    let findings = store.check().await.expect("check");
    for check in [
        "nodes",
        "durability",
        "clocks",
        "tables",
        "repair",
        "buckets",
    ] {
        let found = of(&findings, check);
        assert_eq!(found.severity, Severity::Ok, "{found:?}");
    }
    assert!(
        of(&findings, "durability")
            .found
            .contains("commitlog_sync group")
    );
    assert!(of(&findings, "durability").found.contains("message: 3;"));

    stage
        .cql(
            "ALTER TABLE KS.message WITH default_time_to_live = 60 AND gc_grace_seconds = 5 AND \
             compaction = {'class': 'SizeTieredCompactionStrategy'}",
        )
        .await;
    let findings = store.check().await.expect("check");
    let bad = || findings.iter().filter(|one| one.check == "table message");
    assert_eq!(bad().count(), 3, "{findings:#?}");
    assert!(bad().any(|one| one.severity == Severity::Problem));
    for finding in bad() {
        stage.cql(finding.fix.trim_end_matches(';')).await;
    }
    let findings = store.check().await.expect("check");
    assert_eq!(
        of(&findings, "tables").severity,
        Severity::Ok,
        "{findings:#?}"
    );
    stage.end().await;
}
