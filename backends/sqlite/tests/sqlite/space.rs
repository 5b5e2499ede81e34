//! Nearly full disks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longshore_core::{Effect, OpenOptions, StoreErrorKind};
use longshore_sqlite::{Room, RoomProbe, open_with_probe};

use crate::scene::{Scene, ack, put, take, url};

const MIB: u64 = 1024 * 1024;

#[tokio::test]
async fn a_nearly_full_disk_refuses_messages_and_takes_settlements() {
    let scene = Scene::new();
    let free = Arc::new(AtomicU64::new(1000 * MIB));
    let seen = free.clone();
    let probe = RoomProbe::new(move |_| {
        Ok(Room {
            free: seen.load(Ordering::Relaxed),
            total: 10_000 * MIB,
        })
    });
    let store = open_with_probe(&url(&scene.file(), ""), &OpenOptions::default(), probe)
        .await
        .unwrap();
    put(&store, "x").await.unwrap();
    free.store(63 * MIB, Ordering::Relaxed);
    let error = refused_soon(&store).await;
    assert_eq!(error.kind(), StoreErrorKind::Overloaded);
    assert_eq!(error.effect(), Effect::NotApplied);
    assert!(error.retry_hint().is_some());
    assert!(error.to_string().contains("disk is nearly full"), "{error}");
    let taken = take(&store, 1, Duration::ZERO).await;
    ack(&store, &taken).await;
    free.store(65 * MIB, Ordering::Relaxed);
    for tries in 0.. {
        if put(&store, "y").await.is_ok() {
            break;
        }
        assert!(tries < 100, "it goes on within a second");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What the system said is believed for a moment.
async fn refused_soon(store: &longshore_core::Backend) -> longshore_core::StoreError {
    for _ in 0..100 {
        if let Err(error) = put(store, "x").await {
            return error;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a full disk is not noticed");
}

#[test]
fn the_reserve_is_five_percent_but_never_more_than_64_mib() {
    let of = |total| Room { free: 0, total }.reserve();
    assert_eq!(of(100 * MIB), 5 * MIB);
    assert_eq!(of(1_000_000 * MIB), 64 * MIB);
}
