//! The wrapper that fails on demand, tried on the memory store.
#![expect(clippy::unwrap_used, reason = "a test ends where its store fails")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use longshore_conformance::{Call, Fault, FaultControl, FaultStore};
use longshore_core::{
    Backend, Effect, Enqueued, IdOrigin, JobKind, ManualClock, MessageId, NewMessage, QueueName,
    Receive, StoreErrorKind,
};
use longshore_memory::MemoryStore;

fn wrapped() -> (Backend, FaultControl) {
    let clock = Arc::new(ManualClock::default());
    FaultStore::wrap(Arc::new(MemoryStore::new(clock)).backend())
}

fn queue() -> QueueName {
    QueueName::new("work").unwrap()
}

fn message(name: &str) -> NewMessage {
    let id = MessageId::from_content(&[name.as_bytes()]);
    NewMessage::new(id, IdOrigin::Given, JobKind::default(), name.to_owned())
}

async fn depth(store: &Backend) -> u64 {
    let stats = store.admin.stats(&queue()).await.unwrap();
    stats.map_or(0, |stats| stats.live())
}

#[tokio::test]
async fn a_refused_call_is_not_made() {
    let (store, faults) = wrapped();
    faults.at(Call::Enqueue, 2, Fault::Refuse(StoreErrorKind::Unavailable));
    store
        .queues
        .enqueue(&queue(), &[message("a")])
        .await
        .unwrap();
    let refused = store.queues.enqueue(&queue(), &[message("b")]).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert_eq!(refused.effect(), Effect::NotApplied);
    assert_eq!(depth(&store).await, 1);
    store
        .queues
        .enqueue(&queue(), &[message("b")])
        .await
        .unwrap();
    assert_eq!((depth(&store).await, faults.calls(Call::Enqueue)), (2, 3));
}

#[tokio::test]
async fn a_lost_answer_had_its_effect() {
    let (store, faults) = wrapped();
    faults.at(Call::Enqueue, 1, Fault::LoseAnswer(StoreErrorKind::Timeout));
    let batch = [message("a")];
    let lost = store.queues.enqueue(&queue(), &batch).await.unwrap_err();
    assert_eq!(lost.effect(), Effect::Unknown);
    assert_eq!(depth(&store).await, 1);
    let again = store.queues.enqueue(&queue(), &batch).await.unwrap();
    assert!(matches!(again[..], [Enqueued::Duplicate { .. }]));
}

#[tokio::test]
async fn a_held_call_waits_for_its_gate() {
    let (store, faults) = wrapped();
    let before = faults.hold_before(Call::Enqueue, 1);
    let after = faults.hold_after(Call::Enqueue, 2);
    for (gate, stored_while_held) in [(before, 0), (after, 2)] {
        let held = tokio::spawn({
            let store = store.clone();
            let batch = [message(&format!("{stored_while_held}"))];
            async move { store.queues.enqueue(&queue(), &batch).await }
        });
        gate.reached().await;
        assert_eq!(depth(&store).await, stored_while_held);
        assert!(!held.is_finished());
        gate.open();
        held.await.unwrap().unwrap();
    }
    assert_eq!(depth(&store).await, 2);
}

#[tokio::test]
async fn a_store_that_is_away_comes_back() {
    let (store, faults) = wrapped();
    faults.everything(&Fault::Refuse(StoreErrorKind::Unavailable));
    let request = Receive {
        batch_max: NonZeroU32::MIN,
        lease: Duration::from_secs(1),
        wait_max: Duration::ZERO,
    };
    for _ in 0..3 {
        assert!(store.queues.receive(&queue(), request).await.is_err());
        assert!(store.admin.workers().await.is_err());
    }
    faults.reached(Call::Receive, 3).await;
    faults.clear();
    assert!(store.queues.receive(&queue(), request).await.is_ok());
    assert!(store.admin.workers().await.is_ok());
}
