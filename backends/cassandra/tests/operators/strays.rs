//! `fsck`: rows where nobody looks any more. It deletes what leaves no doubt, and nothing else.

use longshore_core::{Census, Disposition, Finding, Fsck as _, Severity};
use uuid::Uuid;

use super::still::{Still, queue};

async fn fsck(still: &Still, repair: bool) -> Census {
    let census = still.store.fsck(&queue(), repair).await.expect("fsck");
    census.expect("the queue exists")
}

/// What was found, each with how bad it is.
fn found(census: &Census) -> Vec<(&str, Severity)> {
    let all = census.findings.iter();
    all.map(|one| (one.check.as_str(), one.severity)).collect()
}

fn of<'a>(census: &'a Census, check: &str) -> &'a Finding {
    let found = census.findings.iter().find(|one| one.check == check);
    found.unwrap_or_else(|| panic!("nothing of {check}: {census:#?}"))
}

/// How many rows there are of messages, and whether there are any of what became of them.
async fn rows(still: &Still) -> (usize, bool) {
    let messages: Vec<(i64,)> = still.rows("SELECT bucket FROM KS.message").await;
    let events: Vec<(i64,)> = still.rows("SELECT bucket FROM KS.message_event").await;
    (messages.len(), !events.is_empty())
}

/// The one bucket there is, as the values of its key.
async fn bucket(still: &Still) -> (Uuid, i16, i32, i8, i64) {
    let cql = "SELECT queue, cell, shard, kind, bucket FROM KS.stream_bucket";
    let mut listed = still.rows(cql).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    listed.remove(0)
}

/// Says of the one bucket that it is done: what an owner writes before it deletes its rows.
async fn say_that_it_is_done(still: &Still) {
    let (queue, cell, shard, kind, bucket) = bucket(still).await;
    let cql = format!(
        "UPDATE KS.stream_bucket SET done = true WHERE queue = {queue} AND cell = {cell} AND \
         shard = {shard} AND kind = {kind} AND bucket = {bucket}"
    );
    still.stage.cql(&cql).await;
}

/// Sets the marks of the stream of the one bucket, as no owner would.
async fn mark(still: &Still, closed_to: i64, done_to: i64) {
    let (queue, cell, shard, kind, _) = bucket(still).await;
    let cql = format!(
        "INSERT INTO KS.stream_mark (queue, cell, shard, kind, closed_to, done_to) \
         VALUES ({queue}, {cell}, {shard}, {kind}, {closed_to}, {done_to})"
    );
    still.stage.cql(&cql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_deletion_left_is_named_and_then_deleted() {
    let still = Still::new().await;
    still.enqueue(1..=3).await;
    still.settle(&still.take(3).await, &Disposition::Ack).await;
    let ok = [("states", Severity::Ok)];
    let census = fsck(&still, false).await;
    assert_eq!((found(&census), census.settled), (ok.to_vec(), 3));

    say_that_it_is_done(&still).await;
    let census = fsck(&still, false).await;
    assert_eq!(found(&census), [("leftovers", Severity::Warning)]);
    let leftovers = of(&census, "leftovers");
    assert!(leftovers.found.starts_with("1 settled"), "{leftovers:?}");
    assert_eq!(leftovers.fix, "longshore fsck --repair");
    assert_eq!(rows(&still).await, (3, true), "nobody asked for a repair");

    let mended = fsck(&still, true).await;
    assert_eq!(mended.repaired, 1);
    assert_eq!(found(&mended), [("leftovers", Severity::Ok)]);
    assert_eq!(rows(&still).await, (0, false));
    let census = fsck(&still, true).await;
    assert_eq!((found(&census), census.repaired), (ok.to_vec(), 0));
    still.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_a_doubt_is_named_and_left_alone() {
    let still = Still::new().await;
    still.enqueue(1..=3).await;
    still.settle(&still.take(2).await, &Disposition::Ack).await;

    // The waiting message may be anything: a late row of a call that failed, or the index is wrong.
    say_that_it_is_done(&still).await;
    let late = ("late rows", Severity::Warning);
    for repair in [false, true, false] {
        let census = fsck(&still, repair).await;
        assert_eq!((found(&census), census.repaired), (vec![late], 0));
        let late = of(&census, "late rows");
        assert!(late.found.starts_with("1 rows"), "{late:?}");
        assert_eq!(rows(&still).await, (3, true));
    }

    mark(&still, 1, 2).await;
    for repair in [false, true, false] {
        let census = fsck(&still, repair).await;
        let both = vec![("marks", Severity::Problem), late];
        assert_eq!((found(&census), census.repaired), (both, 0));
        assert!(of(&census, "marks").found.starts_with("1 streams"));
        assert_eq!(rows(&still).await, (3, true));
        let marks: Vec<(i64, i64)> = still
            .rows("SELECT closed_to, done_to FROM KS.stream_mark")
            .await;
        assert_eq!(marks, [(1, 2)]);
    }
    still.end().await;
}
