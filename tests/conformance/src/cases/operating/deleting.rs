//! Deleting queues in which nothing is.

use longshore_core::{Deleted, QueueSettings, SettingsChange};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, messages};
use crate::stage::{LEASE, bodies};

cases! { "deleting";
    14 an_empty_queue_does_not_exist_any_more,
    14 a_queue_with_anything_in_it_stays,
    14 what_never_was_is_not_found,
    14 a_deleted_queue_begins_anew,
    14 another_handle_goes_on_with_a_queue_that_was_deleted,
}

async fn delete(stage: &Stage) -> Deleted {
    let deleted = stage.store.admin.delete(&stage.queue).await;
    deleted.expect("delete")
}

async fn listed(stage: &Stage) -> usize {
    let many = crate::stage::count(100);
    let queues = stage.store.admin.queues(None, many).await;
    queues.expect("queues").items.len()
}

/// Neither in the list nor by its name; its settings and its pause are gone.
async fn an_empty_queue_does_not_exist_any_more(stage: Stage) {
    stage.put(&messages(["a"])).await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    let change = SettingsChange {
        author: "a.toml".to_owned(),
        depth_max: Some(5),
        ..SettingsChange::default()
    };
    stage.configure(change).await;
    stage.pause().await;
    assert_eq!(listed(&stage).await, 1);
    assert_eq!(delete(&stage).await, Deleted::Done);
    assert_eq!(listed(&stage).await, 0);
    assert_eq!(stage.stats_of(&stage.queue).await, None);
    let settings = stage.store.admin.settings(&stage.queue).await;
    assert_eq!(settings.expect("settings"), QueueSettings::default());
    assert_eq!(delete(&stage).await, Deleted::NotFound);
}

/// A waiting message, one in hands, a delayed one, one behind a head, a dead letter.
async fn a_queue_with_anything_in_it_stays(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.pause().await;
    assert_eq!(delete(&stage).await, Deleted::NotEmpty);
    assert!(stage.stats().await.paused.is_some(), "it stays as it is");
    stage.resume().await;
    let taken = stage.take_one().await;
    assert_eq!(delete(&stage).await, Deleted::NotEmpty);
    stage.bury(&taken).await;
    assert_eq!(delete(&stage).await, Deleted::NotEmpty);
    stage.discard(taken.message.id).await;
    let later = message("later").due_in(100);
    stage.put(std::slice::from_ref(&later)).await;
    assert_eq!(delete(&stage).await, Deleted::NotEmpty);
    stage.cancel(later.id).await;
    let both = messages(["h", "b"]).into_iter().map(|new| new.group("g"));
    stage.put(&both.collect::<Vec<_>>()).await;
    let head = stage.take_one().await;
    stage.ack(&head).await;
    assert_eq!(delete(&stage).await, Deleted::NotEmpty);
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
}

/// Nor does it exist afterwards.
async fn what_never_was_is_not_found(stage: Stage) {
    assert_eq!(delete(&stage).await, Deleted::NotFound);
    assert_eq!(listed(&stage).await, 0);
}

/// As any other new one.
async fn a_deleted_queue_begins_anew(stage: Stage) {
    for round in ["a", "b"] {
        stage.put(&[message(round).group("g")]).await;
        let taken = stage.take_one().await;
        assert_eq!(taken.attempt, 1);
        stage.ack(&taken).await;
        assert_eq!(delete(&stage).await, Deleted::Done);
        stage.nothing().await;
        assert_eq!(listed(&stage).await, 0);
    }
    stage.put(&messages(["c"])).await;
    assert_eq!(listed(&stage).await, 1);
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}

/// What it stores is found by everybody, though it has not heard of it.
async fn another_handle_goes_on_with_a_queue_that_was_deleted(stage: Stage) {
    let other = stage.subject.reopen().await;
    let put = |body: &'static str| {
        let (other, queue) = (other.clone(), stage.queue.clone());
        async move {
            let stored = other.queues.enqueue(&queue, &messages([body])).await;
            stored.expect("enqueue");
        }
    };
    put("a").await;
    let taken = stage.take_one().await;
    stage.ack(&taken).await;
    assert_eq!(delete(&stage).await, Deleted::Done);
    put("b").await;
    assert_eq!(listed(&stage).await, 1);
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    stage.advance(LEASE);
    assert_eq!(bodies(&stage.take(9).await), ["b"]);
}
