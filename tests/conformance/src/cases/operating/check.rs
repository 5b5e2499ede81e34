//! What a check of a store tells an operator.

use longshore_core::wire::encode_newer;
use longshore_core::{Finding, Severity};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, messages};

cases! { "check";
    20 the_durability_is_told,
    20 what_is_wrong_comes_with_a_way_out,
    20 a_healthy_queue_is_not_mentioned,
    20 a_pause_is_told_with_its_author,
    20 a_move_is_told_with_its_destination,
    20 parked_groups_are_told,
    11 rows_of_a_newer_version_are_told,
}

async fn findings(stage: &Stage) -> Vec<Finding> {
    stage.store.admin.check().await.expect("check")
}

/// What was found about the queue of the case.
async fn of_queue(stage: &Stage) -> Vec<Finding> {
    let all = findings(stage).await.into_iter();
    all.filter(|one| one.check.contains(stage.queue.as_str()))
        .collect()
}

/// One finding, a warning, that holds this text.
async fn is_told(stage: &Stage, text: &str) {
    let found = of_queue(stage).await;
    let [one] = &found[..] else {
        panic!("one finding is expected: {found:?}");
    };
    assert_eq!(one.severity, Severity::Warning);
    assert!(one.found.contains(text), "{}", one.found);
    assert!(!one.fix.is_empty());
}

/// Everybody wants to know what an answer of `enqueue` is worth.
async fn the_durability_is_told(stage: Stage) {
    let all = findings(&stage).await;
    assert!(all.iter().any(|one| one.check == "durability"), "{all:?}");
}

/// Whatever is not as it should be names what to do.
async fn what_is_wrong_comes_with_a_way_out(stage: Stage) {
    stage.pause().await;
    for one in findings(&stage).await {
        let is_fine = one.severity == Severity::Ok;
        assert!(is_fine || !one.fix.is_empty(), "{one:?}");
        assert!(!one.check.is_empty() && !one.found.is_empty(), "{one:?}");
    }
}

/// Work that waits or failed is no finding.
async fn a_healthy_queue_is_not_mentioned(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let taken = stage.take(2).await;
    stage.bury(&taken[0]).await;
    assert_eq!(of_queue(&stage).await, []);
}

/// A forgotten pause is found.
async fn a_pause_is_told_with_its_author(stage: Stage) {
    stage.pause().await;
    is_told(&stage, "operator").await;
    stage.resume().await;
    assert_eq!(of_queue(&stage).await, []);
}

/// So is a move that was broken off.
async fn a_move_is_told_with_its_destination(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.mark_moving(Some("elsewhere")).await;
    is_told(&stage, "elsewhere").await;
}

/// And a group that nobody works.
async fn parked_groups_are_told(stage: Stage) {
    stage.put(&[message("a").group("g")]).await;
    let head = stage.take_one().await;
    stage.park(&head).await;
    is_told(&stage, "1").await;
}

/// And workers that are too old for what is in the queue.
async fn rows_of_a_newer_version_are_told(stage: Stage) {
    let new = message("newer");
    let stored = new.stored_at(stage.now(), None);
    let body = stored.body.to_vec();
    let (queue, subject) = (&stage.queue, &stage.subject);
    subject
        .plant(queue, &new, encode_newer(&stored), body)
        .await;
    stage.nothing().await;
    is_told(&stage, "newer").await;
}
