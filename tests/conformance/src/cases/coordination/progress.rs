//! Progress of intakes, written under a lease.

use bytes::Bytes;
use longshore_core::{Cursor, NamedLease};

use super::leases::{acquire, lease};
use crate::Stage;
use crate::case::cases;
use crate::draft::secs;
use crate::stage::count;

cases! { "progress";
    17 what_was_saved_is_loaded,
    17 a_later_save_replaces_the_value,
    17 a_stale_lease_saves_nothing,
    17 the_next_holder_reads_what_the_last_one_saved,
    17 values_run_out,
    17 names_and_keys_are_apart,
    17 an_empty_value_is_a_value,
    17 pages_list_every_value_that_has_not_run_out,
    17 nothing_is_listed_where_nothing_was_saved,
}

async fn save(stage: &Stage, held: &NamedLease, entries: &[(&str, &[u8])]) -> bool {
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), Bytes::copy_from_slice(value)))
        .collect();
    let saved = stage.store.progress.save(held, &entries, secs(100)).await;
    saved.expect("save")
}

async fn load(stage: &Stage, name: &str, key: &str) -> Option<Bytes> {
    let loaded = stage.store.progress.load(&lease(name), key).await;
    loaded.expect("load")
}

/// Keys are any text, values any bytes.
async fn what_was_saved_is_loaded(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    let entries = [("/in/Ä b.jsonl", &[0, 255][..]), ("k", b"v")];
    assert!(save(&stage, &held, &entries).await);
    for (key, value) in entries {
        let loaded = load(&stage, "intake:orders", key).await;
        assert_eq!(loaded.as_deref(), Some(value));
    }
    assert_eq!(load(&stage, "intake:orders", "other").await, None);
}

/// Progress goes on.
async fn a_later_save_replaces_the_value(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    for value in [b"1", b"2"] {
        assert!(save(&stage, &held, &[("k", value)]).await);
    }
    let loaded = load(&stage, "intake:orders", "k").await;
    assert_eq!(loaded.as_deref(), Some(&b"2"[..]));
}

/// Two feeders never overwrite each other: the one that lost the lease is told.
async fn a_stale_lease_saves_nothing(stage: Stage) {
    let old = acquire(&stage.store, "a").await.expect("it is free");
    assert!(save(&stage, &old, &[("k", b"old")]).await);
    stage.advance(secs(30));
    acquire(&stage.store, "b").await.expect("it ended");
    assert!(!save(&stage, &old, &[("k", b"late"), ("l", b"late")]).await);
    let loaded = load(&stage, "intake:orders", "k").await;
    assert_eq!(loaded.as_deref(), Some(&b"old"[..]));
    assert_eq!(load(&stage, "intake:orders", "l").await, None);
}

/// The process that takes an intake over goes on where it was, from any process.
async fn the_next_holder_reads_what_the_last_one_saved(stage: Stage) {
    let old = acquire(&stage.store, "a").await.expect("it is free");
    assert!(save(&stage, &old, &[("k", b"42")]).await);
    stage.advance(secs(30));
    let other = stage.subject.reopen().await;
    let new = acquire(&other, "b").await.expect("it ended");
    let loaded = other.progress.load(&new.name, "k").await.expect("load");
    assert_eq!(loaded.as_deref(), Some(&b"42"[..]));
    assert!(save(&stage, &new, &[("k", b"43")]).await);
}

/// Each save keeps its values for so long from then.
async fn values_run_out(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    assert!(save(&stage, &held, &[("k", b"1"), ("l", b"1")]).await);
    stage.advance(secs(20));
    assert!(save(&stage, &held, &[("l", b"2")]).await);
    stage.advance(secs(80));
    assert_eq!(load(&stage, "intake:orders", "k").await, None);
    assert!(load(&stage, "intake:orders", "l").await.is_some());
    stage.advance(secs(20));
    assert_eq!(load(&stage, "intake:orders", "l").await, None);
}

/// Another intake has its own keys.
async fn names_and_keys_are_apart(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    assert!(save(&stage, &held, &[("k", b"1")]).await);
    assert_eq!(load(&stage, "intake:other", "k").await, None);
}

/// Empty is not none.
async fn an_empty_value_is_a_value(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    assert!(save(&stage, &held, &[("k", b"")]).await);
    let loaded = load(&stage, "intake:orders", "k").await;
    assert_eq!(loaded.as_deref(), Some(&b""[..]));
}

/// Every key of a name, in pages of any size, whatever its order.
async fn list(stage: &Stage, name: &str, max: u32) -> Vec<(String, Bytes)> {
    let mut all = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let (progress, name) = (&stage.store.progress, lease(name));
        let page = progress.list(&name, after.as_ref(), count(max));
        let page = page.await.expect("list");
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            all.sort();
            all.dedup();
            return all;
        }
    }
}

/// For the move that carries progress to another store.
async fn pages_list_every_value_that_has_not_run_out(stage: Stage) {
    let held = acquire(&stage.store, "a").await.expect("it is free");
    assert!(save(&stage, &held, &[("old", b"1")]).await);
    stage.advance(secs(20));
    let keys: Vec<String> = (0..300).map(|n| format!("/in/Ä {n}")).collect();
    for part in keys.chunks(50) {
        let held = acquire(&stage.store, "a").await.expect("it is held");
        let entries: Vec<_> = part
            .iter()
            .map(|key| (key.as_str(), key.as_bytes()))
            .collect();
        assert!(save(&stage, &held, &entries).await);
    }
    stage.advance(secs(85));
    let mut wanted: Vec<_> = keys
        .iter()
        .map(|key| (key.clone(), Bytes::copy_from_slice(key.as_bytes())))
        .collect();
    wanted.sort();
    for max in [1, 7, 1000] {
        assert_eq!(list(&stage, "intake:orders", max).await, wanted, "by {max}");
    }
}

/// Also where the lease exists.
async fn nothing_is_listed_where_nothing_was_saved(stage: Stage) {
    assert!(list(&stage, "intake:orders", 10).await.is_empty());
    acquire(&stage.store, "a").await.expect("it is free");
    assert!(list(&stage, "intake:orders", 10).await.is_empty());
}
