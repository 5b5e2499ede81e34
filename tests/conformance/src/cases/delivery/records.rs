//! Attempt records: the history of a message.

use longshore_core::{AttemptRecord, DeadReason, Disposition, Due, History, Label, StoreErrorKind};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message};
use crate::settling::record;
use crate::stage::{LEASE, refused};

cases! { "records";
    2 a_retry_leaves_its_record_with_the_attempt,
    2 a_dead_letter_shows_the_last_error_and_all_records,
    2 a_delivery_that_vanished_leaves_no_record,
    2 a_release_leaves_no_record,
    2 the_first_and_the_last_fifteen_records_are_kept,
    3 a_stale_settle_leaves_no_record,
    10 a_retry_rewrites_nothing_of_the_message,
    12 an_error_text_over_the_limit_is_refused,
}

fn retry_with(record: AttemptRecord) -> Disposition {
    Disposition::Retry {
        due: Due::NOW,
        record,
        checkpoint: None,
    }
}

/// The store stamps the record with the attempt and keeps everything else of it.
async fn a_retry_leaves_its_record_with_the_attempt(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let told = AttemptRecord::new(
        "host-1/17/é",
        stage.now(),
        stage.now().plus(LEASE),
        Label::lossy("http.503"),
        "busy\nsecond line \u{1f4a5}",
    );
    stage.end(&taken, retry_with(told.clone())).await;
    let found = stage.found(taken.message.id).await;
    assert_eq!(found.recorded_through, 1);
    let kept = found.history.last().expect("a record");
    assert_eq!((kept.attempt, &kept.record), (1, &told));
}

/// The mark of a dead letter names the reason and the last error; the history is whole.
async fn a_dead_letter_shows_the_last_error_and_all_records(stage: Stage) {
    stage.put(&[message("a")]).await;
    let first = stage.take_one().await;
    stage.end(&first, retry_with(record("first"))).await;
    let second = stage.take_one().await;
    let fate = Disposition::DeadLetter {
        reason: DeadReason::Exhausted,
        record: record("second"),
        park_group: false,
        checkpoint: None,
    };
    stage.end(&second, fate).await;
    let dead = stage.found(first.message.id).await;
    let mark = dead.dead().expect("it is dead");
    assert_eq!(mark.reason, DeadReason::Exhausted);
    assert_eq!(mark.error.as_deref(), Some("second"));
    assert_eq!(mark.dead_at, stage.now());
    assert_eq!(told(&dead.history), [(1, "first"), (2, "second")]);
}

fn told(history: &History) -> Vec<(u32, &str)> {
    let records = history.records().iter();
    records
        .map(|one| (one.attempt, one.record.error.as_str()))
        .collect()
}

/// Nobody told how it ended, so nothing is made up.
async fn a_delivery_that_vanished_leaves_no_record(stage: Stage) {
    stage.put(&[message("a")]).await;
    stage.take_one().await;
    stage.advance(LEASE);
    let second = stage.take_one().await;
    assert!(stage.found(second.message.id).await.history.is_empty());
    stage.end(&second, retry_with(record("second"))).await;
    let found = stage.found(second.message.id).await;
    assert_eq!(told(&found.history), [(2, "second")]);
}

/// A release is no failure.
async fn a_release_leaves_no_record(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.release(&taken).await;
    let found = stage.found(taken.message.id).await;
    assert!(found.history.is_empty());
    assert_eq!(found.recorded_through, 0);
}

/// Of many attempts the first and the last fifteen are kept; `recorded_through` knows them all.
async fn the_first_and_the_last_fifteen_records_are_kept(stage: Stage) {
    stage.put(&[message("a")]).await;
    for attempt in 1..=20 {
        let taken = stage.take_one().await;
        stage
            .end(&taken, retry_with(record(&attempt.to_string())))
            .await;
    }
    let taken = stage.take_one().await;
    assert_eq!(taken.recorded_through, 20);
    let found = stage.found(taken.message.id).await;
    let kept: Vec<_> = told(&found.history).iter().map(|one| one.0).collect();
    assert_eq!(kept, [1].into_iter().chain(6..=20).collect::<Vec<_>>());
}

/// Who lost the lease has nothing to say about the message any more.
async fn a_stale_settle_leaves_no_record(stage: Stage) {
    stage.put(&[message("a")]).await;
    let first = stage.take_one().await;
    stage.advance(LEASE);
    let second = stage.take_one().await;
    stage.settle(&first, retry_with(record("too late"))).await;
    assert!(stage.found(second.message.id).await.history.is_empty());
}

/// A record that was built past the limit is a mistake of the caller.
async fn an_error_text_over_the_limit_is_refused(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let mut long = record("x");
    long.error = "x".repeat(longshore_core::ERROR_BYTES_MAX + 1);
    let item = longshore_core::Settlement {
        receipt: taken.receipt.clone(),
        disposition: retry_with(long),
    };
    let answer = stage.store.queues.settle(&stage.queue, &[item]).await;
    assert_eq!(refused(answer).kind(), StoreErrorKind::InvalidInput);
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
}

/// What the producer said, trace context included, is the same at every attempt.
async fn a_retry_rewrites_nothing_of_the_message(stage: Stage) {
    let mut new = message("a").header("h", "v");
    new.trace = Some(longshore_core::TraceContext {
        parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        state: String::new(),
    });
    stage.put(&[new]).await;
    let first = stage.take_one().await;
    stage.end(&first, retry_with(record("x"))).await;
    let second = stage.take_one().await;
    stage.bury(&second).await;
    stage.redrive(second.message.id).await;
    let third = stage.take_one().await;
    assert_eq!(second.message, first.message);
    assert_eq!(third.message, first.message);
}
