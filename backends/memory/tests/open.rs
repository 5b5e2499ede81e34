//! How memory stores are opened.
#![expect(clippy::unwrap_used, reason = "a test ends where its store fails")]

use std::sync::Arc;

use longshore_core::{
    Backend, IdOrigin, JobKind, ManualClock, MessageId, NewMessage, OpenOptions, QueueName, Result,
    StoreErrorKind,
};

fn open(url: &str, change: impl FnOnce(&mut OpenOptions)) -> Result<Backend> {
    let mut options = OpenOptions::default();
    change(&mut options);
    longshore_memory::open(&url.parse().unwrap(), &options)
}

async fn depth(store: &Backend) -> Option<u64> {
    let queue = QueueName::new("work").unwrap();
    let stats = store.admin.stats(&queue).await.unwrap();
    stats.map(|stats| stats.live())
}

async fn put(store: &Backend) {
    let queue = QueueName::new("work").unwrap();
    let id = MessageId::from_content(&[b"a"]);
    let new = NewMessage::new(id, IdOrigin::Fresh, JobKind::default(), "a");
    store.queues.enqueue(&queue, &[new]).await.unwrap();
}

#[tokio::test]
async fn one_name_is_one_store_for_as_long_as_the_process_lives() {
    put(&open("memory://open-shared", |_| {}).unwrap()).await;
    let again = open("memory://open-shared?timeout=1s", |_| {}).unwrap();
    assert_eq!(depth(&again).await, Some(1));
    let other = open("memory://open-other", |_| {}).unwrap();
    assert_eq!(depth(&other).await, None);
}

#[tokio::test]
async fn without_a_name_each_open_is_a_store_of_its_own() {
    put(&open("memory://", |_| {}).unwrap()).await;
    assert_eq!(depth(&open("memory://", |_| {}).unwrap()).await, None);
}

#[tokio::test]
async fn a_store_that_must_be_there_is_not_made() {
    let missing = open("memory://open-missing", |options| options.create = false);
    assert_eq!(missing.unwrap_err().kind(), StoreErrorKind::NotFound);
}

#[tokio::test]
async fn a_store_has_one_clock() {
    let clock = Arc::new(ManualClock::default());
    let with = |clock: Arc<ManualClock>| {
        open("memory://open-clock", move |options| {
            options.clock = Some(clock);
        })
    };
    with(clock.clone()).unwrap();
    with(clock).unwrap();
    let refused = with(Arc::new(ManualClock::default())).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Misconfigured);
}
