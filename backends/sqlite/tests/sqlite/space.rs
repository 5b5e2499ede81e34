//! Nearly full disks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longshore_conformance::{until, until_some};
use longshore_core::{Backend, Effect, OpenOptions, StoreError, StoreErrorKind};
use longshore_sqlite::{Host, Room, RoomProbe, open_on};

use crate::scene::{Scene, ack, put, queue, take, url};

const MIB: u64 = 1024 * 1024;

/// A disk of 10,000 MiB that says how full it is.
struct Disk(Arc<AtomicU64>);

impl Disk {
    fn with_free(mib: u64) -> Self {
        Self(Arc::new(AtomicU64::new(mib * MIB)))
    }

    fn set_free(&self, mib: u64) {
        self.0.store(mib * MIB, Ordering::Relaxed);
    }

    /// Opens the store of a scene on it.
    async fn open(&self, scene: &Scene) -> Backend {
        let free = self.0.clone();
        let room = RoomProbe::new(move |_| {
            Ok(Room {
                free: free.load(Ordering::Relaxed),
                total: 10_000 * MIB,
            })
        });
        let host = Host {
            room,
            ..Host::default()
        };
        let options = OpenOptions::default();
        open_on(&url(&scene.file(), ""), &options, host)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_nearly_full_disk_refuses_messages_and_takes_settlements() {
    let scene = Scene::new();
    let disk = Disk::with_free(1000);
    let store = disk.open(&scene).await;
    put(&store, "x").await.unwrap();
    disk.set_free(63);
    let error = refused_soon(&store).await;
    assert_eq!(error.kind(), StoreErrorKind::Overloaded);
    assert_eq!(error.effect(), Effect::NotApplied);
    assert!(error.retry_hint().is_some());
    assert!(error.to_string().contains("disk is nearly full"), "{error}");
    let taken = take(&store, 1, Duration::ZERO).await;
    ack(&store, &taken).await;
    disk.set_free(65);
    until("it goes on", async || put(&store, "y").await.is_ok()).await;
}

/// What the system said is believed for a moment.
async fn refused_soon(store: &Backend) -> StoreError {
    until_some("a full disk is noticed", async || {
        put(store, "x").await.err()
    })
    .await
}

/// The file does not shrink when messages leave it. Were its unused pages not counted, a disk
/// that the queue itself filled would refuse messages forever.
#[tokio::test]
async fn a_purged_queue_fills_its_own_pages_again() {
    let scene = Scene::new();
    let disk = Disk::with_free(1000);
    let store = disk.open(&scene).await;
    for _ in 0..50 {
        put(&store, &"x".repeat(20_000)).await.unwrap();
    }
    disk.set_free(40);
    refused_soon(&store).await;
    let all = std::num::NonZeroU32::new(1000).unwrap();
    store.admin.purge(&queue(), all).await.unwrap();
    put(&store, "y").await.unwrap();
    disk.set_free(31);
    let error = refused_soon(&store).await;
    assert_eq!(
        error.kind(),
        StoreErrorKind::Overloaded,
        "the WAL keeps half"
    );
}

#[test]
fn the_reserve_is_five_percent_between_8_and_64_mib_and_never_most_of_a_disk() {
    let of = |total| Room { free: 0, total }.reserve();
    assert_eq!(of(600 * MIB), 30 * MIB);
    assert_eq!(of(1_000_000 * MIB), 64 * MIB);
    assert_eq!(of(100 * MIB), 8 * MIB);
    assert_eq!(of(24 * MIB), 6 * MIB);
}
