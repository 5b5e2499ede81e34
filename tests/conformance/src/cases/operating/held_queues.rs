//! What operators and workers do in a queue from which nothing is handed out: paused, or marked as
//! being moved away.

use std::collections::BTreeSet;

use longshore_core::{Changed, Due, NewMessage, StoredMessage};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, messages, secs};
use crate::settling::{parking, release, retry_in};
use crate::stage::{LEASE, bodies};

cases! { "held_queues";
    13 a_marked_queue_extends,
    13 a_retry_in_a_paused_queue_waits_for_the_resume,
    13 a_release_in_a_paused_queue_waits_for_the_resume,
    13 a_release_in_a_marked_queue_stays,
    13 a_head_that_dies_in_a_held_queue_parks_its_group_there,
    13 a_head_cancelled_in_a_held_queue_admits_its_successor_later,
    13 what_is_rescheduled_in_a_held_queue_waits,
    13 a_held_queue_can_be_purged,
    13 what_is_redriven_in_a_held_queue_waits,
    13 a_parked_head_discarded_in_a_held_queue_frees_its_group_later,
    13 a_held_queue_adopts_and_exports,
}

/// The two ways to hold a queue.
#[derive(Clone, Copy, Debug)]
enum Held {
    Paused,
    Moving,
}

const BOTH: [Held; 2] = [Held::Paused, Held::Moving];

impl Held {
    async fn begin(self, stage: &Stage) {
        match self {
            Self::Paused => stage.pause().await,
            Self::Moving => stage.mark_moving(Some("other")).await,
        }
    }

    async fn end(self, stage: &Stage) {
        match self {
            Self::Paused => assert!(stage.resume().await),
            Self::Moving => stage.mark_moving(None).await,
        }
    }
}

/// A group of three, enqueued together.
fn group() -> Vec<NewMessage> {
    let all = messages(["a", "b", "c"]);
    all.into_iter().map(|new| new.group("g")).collect()
}

/// A running job keeps its message, so that it follows as late as it must.
async fn a_marked_queue_extends(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.mark_moving(Some("other")).await;
    stage.advance(secs(20));
    let queues = &stage.store.queues;
    let receipts = [taken.receipt.clone()];
    let extended = queues.extend(&stage.queue, &receipts, LEASE);
    extended.await.expect("extend");
    stage.advance(secs(20));
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
    stage.ack(&taken).await;
}

/// It is due before that and comes at once then.
async fn a_retry_in_a_paused_queue_waits_for_the_resume(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.pause().await;
    stage.end(&taken, retry_in(5)).await;
    stage.advance(secs(5));
    stage.nothing().await;
    stage.resume().await;
    assert_eq!(stage.take_one().await.attempt, 2);
}

/// At its old place.
async fn a_release_in_a_paused_queue_waits_for_the_resume(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let taken = stage.take_one().await;
    stage.pause().await;
    stage.release(&taken).await;
    stage.nothing().await;
    stage.resume().await;
    assert_eq!(bodies(&stage.take(9).await), ["a", "b"]);
}

/// For the move; where the move ends early it is handed out again.
async fn a_release_in_a_marked_queue_stays(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let taken = stage.take_one().await;
    stage.mark_moving(Some("other")).await;
    stage.end(&taken, release()).await;
    assert_eq!(stage.export_in_pages(1).await.len(), 2);
    stage.nothing().await;
    stage.mark_moving(None).await;
    assert_eq!(bodies(&stage.take(9).await), ["a", "b"]);
}

/// The others stay behind it.
async fn a_head_that_dies_in_a_held_queue_parks_its_group_there(stage: Stage) {
    for held in BOTH {
        stage.put(&group()).await;
        let head = stage.take_one().await;
        held.begin(&stage).await;
        stage.end(&head, parking()).await;
        held.end(&stage).await;
        stage.nothing().await;
        assert_eq!(stage.stats().await.parked, 1, "{held:?}");
        assert_eq!(stage.discard(head.message.id).await, Changed::Applied);
        assert_eq!(stage.purge(9).await, 2);
    }
}

/// The next one is the head, though nobody sees it before the queue is handed out again.
async fn a_head_cancelled_in_a_held_queue_admits_its_successor_later(stage: Stage) {
    for held in BOTH {
        let batch = group();
        stage.put(&batch).await;
        held.begin(&stage).await;
        assert_eq!(stage.cancel(batch[0].id).await, Changed::Applied);
        stage.nothing().await;
        held.end(&stage).await;
        assert_eq!(bodies(&stage.take(9).await), ["b"], "{held:?}");
        stage.advance(LEASE);
        assert_eq!(stage.purge(9).await, 2);
    }
}

/// Due or not.
async fn what_is_rescheduled_in_a_held_queue_waits(stage: Stage) {
    for held in BOTH {
        let new = message("a").due_in(100);
        stage.put(std::slice::from_ref(&new)).await;
        held.begin(&stage).await;
        let due = Due::In(secs(0));
        assert_eq!(stage.reschedule(new.id, due).await, Changed::Applied);
        stage.nothing().await;
        held.end(&stage).await;
        let taken = stage.take_one().await;
        stage.ack(&taken).await;
    }
}

/// Of everything that nobody works on.
async fn a_held_queue_can_be_purged(stage: Stage) {
    for held in BOTH {
        stage.put(&group()).await;
        stage.put(&[message("later").due_in(50)]).await;
        held.begin(&stage).await;
        assert_eq!(stage.purge(2).await, 4, "{held:?}");
        held.end(&stage).await;
        stage.nothing().await;
    }
}

/// The head of a group that it held, and one of no group.
async fn what_is_redriven_in_a_held_queue_waits(stage: Stage) {
    for held in BOTH {
        let batch = group();
        stage.put(&batch).await;
        let head = stage.take_one().await;
        stage.park(&head).await;
        held.begin(&stage).await;
        stage.redrive(batch[0].id).await;
        stage.nothing().await;
        held.end(&stage).await;
        assert_eq!(bodies(&stage.take(9).await), ["a"], "{held:?}");
        stage.advance(LEASE);
        assert_eq!(stage.purge(9).await, 3);
    }
}

/// Nobody holds the others then, but the queue does.
async fn a_parked_head_discarded_in_a_held_queue_frees_its_group_later(stage: Stage) {
    for held in BOTH {
        let batch = group();
        stage.put(&batch).await;
        let head = stage.take_one().await;
        stage.park(&head).await;
        held.begin(&stage).await;
        assert_eq!(stage.discard(batch[0].id).await, Changed::Applied);
        stage.nothing().await;
        held.end(&stage).await;
        assert_eq!(bodies(&stage.take(9).await), ["b"], "{held:?}");
        stage.advance(LEASE);
        assert_eq!(stage.purge(9).await, 2);
    }
}

/// What arrives is handed out when the queue is.
async fn a_held_queue_adopts_and_exports(stage: Stage) {
    for held in BOTH {
        stage.put(&messages(["a", "b"])).await;
        let all = stage.export_in_pages(9).await;
        assert_eq!(stage.purge(9).await, 2);
        held.begin(&stage).await;
        let adopted = stage.store.admin.adopt(&stage.queue, &all).await;
        adopted.expect("adopt");
        stage.nothing().await;
        let again = stage.export_in_pages(1).await;
        let of =
            |all: &[StoredMessage]| -> BTreeSet<_> { all.iter().map(StoredMessage::id).collect() };
        assert_eq!(of(&again), of(&all), "{held:?}");
        held.end(&stage).await;
        assert_eq!(stage.take(9).await.len(), 2);
        stage.advance(LEASE);
        assert_eq!(stage.purge(9).await, 2);
    }
}
