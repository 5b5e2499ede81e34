//! Buckets that are over: their rows leave the tables, and no message goes with them.

use std::time::{Duration, Instant};

use longshore_core::{Clock as _, Disposition, Due};

use super::still::Still;

/// A bucket is one minute wide.
const WIDTH: Duration = Duration::from_secs(60);

/// Longer than a bucket stays after its time once all in it is settled: 3 minutes.
const SETTLED: Duration = Duration::from_secs(200);

/// Longer than one stays that has a message for much later: 10 minutes.
const UNSETTLED: Duration = Duration::from_secs(620);

/// When that message is due: in a bucket of another stream than the one it was stored in.
const LATER: Duration = Duration::from_secs(7200);

/// The stream of messages that are not due.
const DELAYED: i8 = 3;

/// Both are looked after once a second; the rest is for busy machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// The bucket of messages that are stored now.
fn bucket(still: &Still) -> i64 {
    still.clock.now().as_millis() / 60_000
}

/// Up to where the stream of these buckets is deleted.
async fn done_to(still: &Still) -> i64 {
    let cql = "SELECT kind, done_to FROM KS.stream_mark";
    let marks: Vec<(i8, Option<i64>)> = still.rows(cql).await;
    let marks = marks.iter().filter(|(kind, _)| *kind != DELAYED);
    marks.filter_map(|(_, done_to)| *done_to).max().unwrap_or(0)
}

/// Whether a bucket is on the index as one that is not done.
async fn is_listed(still: &Still, bucket: i64) -> bool {
    let cql = "SELECT bucket, done FROM KS.stream_bucket";
    let index: Vec<(i64, Option<bool>)> = still.rows(cql).await;
    let mut index = index.iter();
    index.any(|(number, done)| *number == bucket && *done != Some(true))
}

/// Receives until a condition holds: who does not receive loses its stripes, and with them the
/// care for their buckets. Nothing is due meanwhile.
async fn receive_until(still: &Still, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "not in {PATIENCE:?}: {what}");
        let due = still.receive(10, Duration::from_millis(100)).await;
        assert!(due.is_empty(), "{due:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_that_are_over_lose_their_rows_and_what_is_unsettled_moves_on() {
    let still = Still::new().await;
    let old = bucket(&still);
    still.enqueue(1..=20).await;
    still.settle(&still.take(20).await, &Disposition::Ack).await;

    // The next one keeps a message for much later.
    still.clock.advance(WIDTH);
    let young = bucket(&still);
    still.enqueue(21..=23).await;
    let mut taken = still.take(3).await;
    let left = taken.pop().expect("one of three");
    still.settle(&taken, &Disposition::Ack).await;
    let later = Disposition::Release {
        due: Some(Due::In(LATER)),
        checkpoint: None,
    };
    still.settle(std::slice::from_ref(&left), &later).await;
    let both = [old, young];
    assert_eq!(still.rows_in("message", &both).await, [20, 3]);
    let settled = still.rows_in("message_event", &both).await;
    assert!(settled[0] >= 20 && settled[1] >= 3, "{settled:?}");
    assert_eq!(done_to(&still).await, 0);

    // The mark says that the old one is gone, and that the young one was looked at and stays.
    still.clock.advance(WIDTH + SETTLED);
    receive_until(&still, "the mark is at the young bucket", async || {
        done_to(&still).await == young
    })
    .await;
    assert!(!is_listed(&still, old).await && is_listed(&still, young).await);
    assert_eq!(still.rows_in("message", &both).await, [0, 3]);
    let before = settled[1];
    let settled = still.rows_in("message_event", &both).await;
    assert!(settled[0] == 0 && settled[1] >= before, "{settled:?}");

    // Once its only message is moved the young one goes, too.
    still.clock.advance(UNSETTLED.saturating_sub(SETTLED));
    receive_until(&still, "the mark is beyond the young bucket", async || {
        done_to(&still).await > young
    })
    .await;
    assert!(!is_listed(&still, young).await);
    assert_eq!(still.rows_in("message", &both).await, [0, 0]);
    assert_eq!(still.rows_in("message_event", &both).await, [0, 0]);
    let cql = "SELECT kind, revision FROM KS.message";
    let moved: Vec<(i8, Option<i16>)> = still.rows(cql).await;
    assert_eq!(moved, [(DELAYED, Some(1))]);

    // And comes out where it went to.
    still.clock.advance(LATER);
    let last = still.take(1).await;
    assert_eq!(last[0].message.id, left.message.id);
    assert_eq!(last[0].message.body, left.message.body);
    still.settle(&last, &Disposition::Ack).await;
    still.end().await;
}
