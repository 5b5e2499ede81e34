//! What one attempt leaves for the next.

use longshore_core::{Delivery, Disposition, Settled, Settlement, StoreErrorKind};

use crate::Stage;
use crate::case::cases;
use crate::draft::{message, messages};
use crate::settling::{dead_letter, release, retry_in, with_checkpoint};
use crate::stage::{LEASE, refused};

cases! { "checkpoint";
    2 there_is_none_at_first,
    2 a_checkpoint_replaces_the_one_before,
    2 none_keeps_the_checkpoint,
    2 an_empty_checkpoint_clears_it,
    2 a_checkpoint_survives_a_crash,
    2 a_release_carries_a_checkpoint,
    2 a_dead_letter_keeps_its_checkpoint_for_people,
    2 a_redrive_clears_the_checkpoint,
    3 a_stale_settle_leaves_the_checkpoint,
    12 a_checkpoint_of_64_kib_is_kept_and_one_byte_more_is_refused,
}

fn retry_leaving(bytes: &[u8]) -> Disposition {
    with_checkpoint(retry_in(0), bytes)
}

fn left(delivery: &Delivery) -> Option<&[u8]> {
    delivery.checkpoint.as_deref()
}

/// A first delivery finds nothing.
async fn there_is_none_at_first(stage: Stage) {
    stage.put(&[message("a")]).await;
    assert_eq!(left(&stage.take_one().await), None);
}

/// `Some` replaces; any bytes come back unchanged.
async fn a_checkpoint_replaces_the_one_before(stage: Stage) {
    stage.put(&[message("a")]).await;
    for bytes in [&b"step 1"[..], &[0, 255, 0]] {
        let taken = stage.take_one().await;
        stage.end(&taken, retry_leaving(bytes)).await;
        let found = stage.found(taken.message.id).await;
        assert_eq!(found.checkpoint.as_deref(), Some(bytes));
    }
    assert_eq!(left(&stage.take_one().await), Some(&[0, 255, 0][..]));
}

/// `None` keeps what is there, in a retry and in a release.
async fn none_keeps_the_checkpoint(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.end(&taken, retry_leaving(b"kept")).await;
    for fate in [retry_in(0), release()] {
        let taken = stage.take_one().await;
        assert_eq!(left(&taken), Some(&b"kept"[..]));
        stage.end(&taken, fate).await;
    }
    assert_eq!(left(&stage.take_one().await), Some(&b"kept"[..]));
}

/// Empty is not a checkpoint but the end of one.
async fn an_empty_checkpoint_clears_it(stage: Stage) {
    stage.put(&[message("a")]).await;
    for bytes in [&b"x"[..], b""] {
        let taken = stage.take_one().await;
        stage.end(&taken, retry_leaving(bytes)).await;
    }
    assert_eq!(left(&stage.take_one().await), None);
}

/// A worker that dies does not take the checkpoint with it.
async fn a_checkpoint_survives_a_crash(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.end(&taken, retry_leaving(b"kept")).await;
    stage.take_one().await;
    stage.advance(LEASE);
    let other = stage.subject.reopen().await;
    let taken = stage.take_at(&other, 1).await;
    assert_eq!(left(&taken[0]), Some(&b"kept"[..]));
}

/// A drain in the middle of a job can leave where it was.
async fn a_release_carries_a_checkpoint(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.end(&taken, with_checkpoint(release(), b"half")).await;
    let again = stage.take_one().await;
    assert_eq!((again.attempt, left(&again)), (1, Some(&b"half"[..])));
}

/// The last state of a dead letter can be looked at.
async fn a_dead_letter_keeps_its_checkpoint_for_people(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let taken = stage.take(2).await;
    stage
        .end(&taken[0], with_checkpoint(dead_letter(), b"last"))
        .await;
    stage.bury(&taken[1]).await;
    let dead = stage.dead().await;
    assert_eq!(dead[0].checkpoint.as_deref(), Some(&b"last"[..]));
    assert_eq!(dead[1].checkpoint, None);
}

/// A redriven message starts again.
async fn a_redrive_clears_the_checkpoint(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage
        .end(&taken, with_checkpoint(dead_letter(), b"last"))
        .await;
    stage.redrive(taken.message.id).await;
    assert_eq!(left(&stage.take_one().await), None);
}

/// Who lost the lease cannot overwrite what the next one finds.
async fn a_stale_settle_leaves_the_checkpoint(stage: Stage) {
    stage.put(&[message("a")]).await;
    let first = stage.take_one().await;
    stage.advance(LEASE);
    let second = stage.take_one().await;
    let outcome = stage.settle(&first, retry_leaving(b"stale")).await;
    assert_eq!(outcome, Settled::LeaseLost);
    stage.end(&second, retry_in(0)).await;
    assert_eq!(left(&stage.take_one().await), None);
}

/// The limit itself is allowed; beyond it the call is refused and settles nothing.
async fn a_checkpoint_of_64_kib_is_kept_and_one_byte_more_is_refused(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let taken = stage.take(2).await;
    let max = Delivery::CHECKPOINT_BYTES_MAX;
    let items = [
        item(&taken[0], Disposition::Ack),
        item(&taken[1], retry_leaving(&vec![1; max + 1])),
    ];
    let answer = stage.store.queues.settle(&stage.queue, &items).await;
    assert_eq!(refused(answer).kind(), StoreErrorKind::InvalidInput);
    assert_eq!(stage.counts().await, [0, 0, 2, 0]);
    stage.end(&taken[1], retry_leaving(&vec![1; max])).await;
    assert_eq!(left(&stage.take_one().await), Some(&vec![1; max][..]));
}

fn item(delivery: &Delivery, disposition: Disposition) -> Settlement {
    Settlement {
        receipt: delivery.receipt.clone(),
        disposition,
    }
}
