//! Dead letters: what they keep, how they are listed, how they go.

use longshore_core::{Changed, DeadReason, Disposition, StoredMessage};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, given, message, messages, secs};
use crate::settling::{record, retry_in};
use crate::stage::{LEASE, bodies, ids};

cases! { "dead_letters";
    9 a_dead_letter_is_in_one_place_only,
    9 a_dead_letter_keeps_everything_of_the_message,
    9 every_reason_is_kept,
    9 dead_letters_are_listed_oldest_first,
    9 pages_show_every_dead_letter_once,
    9 a_dead_letter_is_never_delivered,
    4 a_dead_id_is_known,
    4 a_parked_id_is_known,
    9 discard_removes_a_dead_letter,
    4 discard_forgets_the_id_and_the_key,
    9 discard_leaves_live_messages_alone,
    9 discard_answers_for_each_id_in_order,
    9 a_dead_letter_survives_the_handle_that_made_it,
}

/// Not live any more, dead once, whatever happens to its lease.
async fn a_dead_letter_is_in_one_place_only(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    stage.advance(LEASE * 2);
    assert_eq!(stage.counts().await, [0, 0, 0, 1]);
    assert!(stage.peek_in_pages(9).await.is_empty());
    assert_eq!(stage.dead().await.len(), 1);
}

/// The message is kept as it was enqueued, with attempts and records.
async fn a_dead_letter_keeps_everything_of_the_message(stage: Stage) {
    let mut new = given([0, 159, 146, 150])
        .group("g")
        .header("h", "v")
        .dedup("k", 60);
    new.kind = "resize".parse().expect("a kind");
    stage.put(std::slice::from_ref(&new)).await;
    let enqueued = new.stored_at(stage.now(), None);
    stage.advance(secs(3));
    let first = stage.take_one().await;
    stage.end(&first, retry_in(0)).await;
    let second = stage.take_one().await;
    stage.bury(&second).await;
    let dead = stage.dead().await.remove(0);
    assert_eq!(dead.message(), Some(&enqueued));
    assert_eq!((dead.attempts, dead.recorded_through), (2, 2));
    assert_eq!(dead.history.records().len(), 2);
    assert_eq!(stage.found(new.id).await, dead);
}

/// Operators tell dead letters apart by their reason.
async fn every_reason_is_kept(stage: Stage) {
    for reason in DeadReason::ALL {
        stage.put(&[message(reason.as_str())]).await;
        let taken = stage.take_one().await;
        let fate = Disposition::DeadLetter {
            reason,
            record: record("x"),
            park_group: false,
            checkpoint: None,
        };
        stage.end(&taken, fate).await;
        stage.advance(secs(1));
    }
    let dead = stage.dead().await;
    let reasons: Vec<_> = dead.iter().filter_map(|one| one.dead()).collect();
    let reasons: Vec<_> = reasons.iter().map(|mark| mark.reason).collect();
    assert_eq!(reasons.len(), DeadReason::ALL.len());
    for reason in DeadReason::ALL {
        assert!(reasons.contains(&reason), "{reason:?} of {reasons:?}");
    }
}

/// The order is that of dying, not of the enqueue.
async fn dead_letters_are_listed_oldest_first(stage: Stage) {
    let batch = messages(["a", "b", "c"]);
    stage.put(&batch).await;
    let taken = stage.take(3).await;
    for index in [2, 0, 1] {
        stage.bury(&taken[index]).await;
        stage.advance(secs(1));
    }
    let dead: Vec<_> = stage.dead().await.iter().map(StoredMessage::id).collect();
    let id = ids(&batch);
    assert_eq!(dead, [id[2], id[0], id[1]]);
}

/// A cursor leads over everything, also where all died in the same millisecond.
async fn pages_show_every_dead_letter_once(stage: Stage) {
    let batch = messages(["a", "b", "c", "d", "e", "f", "g"]);
    stage.put(&batch).await;
    for taken in stage.take(9).await {
        stage.bury(&taken).await;
    }
    for max in [1, 2, 3, 7, 8] {
        let dead = stage.dead_in_pages(max).await;
        let mut seen: Vec<_> = dead.iter().map(StoredMessage::id).collect();
        seen.sort();
        let mut expected = ids(&batch);
        expected.sort();
        assert_eq!(seen, expected, "pages of {max}");
    }
}

/// No time brings it back.
async fn a_dead_letter_is_never_delivered(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    for _ in 0..3 {
        stage.advance(secs(86_400));
        stage.nothing().await;
    }
}

/// A given id is known as long as its dead letter is there.
async fn a_dead_id_is_known(stage: Stage) {
    let new = given("a");
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    stage.advance(secs(1_000_000));
    let repeat = stage.repeat_of(new.id);
    assert_eq!(stage.enqueue(&[new]).await, [repeat]);
    assert_eq!(stage.counts().await, [0, 0, 0, 1]);
    stage.nothing().await;
}

/// The id of a parked one too, and the repeat does not hurt it.
async fn a_parked_id_is_known(stage: Stage) {
    let new = given("a").group("g");
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage.park(&taken).await;
    let repeat = stage.repeat_of(new.id);
    assert_eq!(stage.enqueue(&[new]).await, [repeat]);
    assert_eq!(stage.stats().await.parked, 1);
    stage.nothing().await;
}

/// A discarded one is nowhere.
async fn discard_removes_a_dead_letter(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    assert_eq!(stage.discard(taken.message.id).await, Changed::Applied);
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
    assert!(stage.find(taken.message.id).await.is_none());
    assert_eq!(stage.discard(taken.message.id).await, Changed::NotFound);
}

/// After a discard the same message may be enqueued again at once.
async fn discard_forgets_the_id_and_the_key(stage: Stage) {
    let new = given("a").dedup("k", 3600);
    stage.put(std::slice::from_ref(&new)).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    assert_eq!(stage.discard(new.id).await, Changed::Applied);
    stage.put(&[new]).await;
    assert_eq!(stage.take_one().await.attempt, 1);
}

/// Discard acts on dead letters only.
async fn discard_leaves_live_messages_alone(stage: Stage) {
    let batch = [message("a"), message("b").due_in(5)];
    stage.put(&batch).await;
    for new in &batch {
        assert_eq!(stage.discard(new.id).await, Changed::NotFound);
    }
    assert_eq!(stage.counts().await, [1, 1, 0, 0]);
}

/// Known and unknown ids may be mixed.
async fn discard_answers_for_each_id_in_order(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let taken = stage.take(3).await;
    stage.bury(&taken[0]).await;
    stage.bury(&taken[2]).await;
    let asked: Vec<_> = taken.iter().map(|one| one.message.id).collect();
    let answer = stage.store.admin.discard(&stage.queue, &asked).await;
    let expected = [Changed::Applied, Changed::NotFound, Changed::Applied];
    assert_eq!(answer.expect("discard"), expected);
    assert_eq!(bodies(&taken[1..2]), ["b"]);
    assert_eq!(stage.counts().await, [0, 0, 1, 0]);
}

/// It lies in the store, not in a process.
async fn a_dead_letter_survives_the_handle_that_made_it(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    let other = stage.subject.reopen().await;
    let page = other
        .admin
        .dead_letters(&stage.queue, None, crate::stage::count(9))
        .await
        .expect("dead_letters");
    assert_eq!(page.items, stage.dead().await);
    assert_eq!(page.items.len(), 1);
}
