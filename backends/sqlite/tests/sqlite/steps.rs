//! Steps of the host's clock, and hosts that start again with a wrong one.

use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use longshore_core::{
    Backend, Clock, LeaseName, MessageState, OpenOptions, Severity, StepListener, Timestamp,
    Uptime, WorkerInfo,
};
use uuid::Uuid;

use crate::scene::{Scene, put, queue, take, url, waiting};

const DAY: i64 = 24 * 3_600_000;
const LEASE: Duration = Duration::from_secs(30);

/// The clock of a host: it runs by hand and can be set again.
#[derive(Debug)]
struct Host {
    boot: Uuid,
    up: AtomicU64,
    wall_ahead: AtomicI64,
}

impl Host {
    /// A host that has just started, and believes it to be this time.
    fn started_at(wall: i64) -> Arc<Self> {
        Arc::new(Self {
            boot: Uuid::now_v7(),
            up: AtomicU64::new(0),
            wall_ahead: AtomicI64::new(wall),
        })
    }

    fn pass(&self, span: Duration) {
        self.up.fetch_add(span.as_millis() as u64, Ordering::SeqCst);
    }

    fn step(&self, by: i64) {
        self.wall_ahead.fetch_add(by, Ordering::SeqCst);
    }

    async fn open(self: &Arc<Self>, scene: &Scene) -> Backend {
        let mut options = OpenOptions::default();
        options.clock = Some(self.clone());
        let url = url(&scene.file(), "");
        longshore_sqlite::open(&url, &options).await.unwrap()
    }
}

impl Clock for Host {
    fn now(&self) -> Timestamp {
        let up = self.up.load(Ordering::SeqCst) as i64;
        Timestamp::from_millis(up + self.wall_ahead.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Option<Uptime> {
        Some(Uptime {
            boot: self.boot,
            elapsed: Duration::from_millis(self.up.load(Ordering::SeqCst)),
        })
    }

    fn on_step(&self, _listener: Weak<dyn StepListener>) {}
}

const NOVEMBER: i64 = 1_795_000_000_000;

async fn clock_finding(store: &Backend) -> Option<String> {
    let findings = store.admin.check().await.unwrap();
    let finding = findings.into_iter().find(|one| one.check == "clock")?;
    assert_eq!(finding.severity, Severity::Warning);
    Some(finding.found)
}

#[tokio::test]
async fn a_clock_set_ahead_ends_no_lease() {
    let scene = Scene::new();
    let host = Host::started_at(NOVEMBER);
    let store = host.open(&scene).await;
    put(&store, "one").await.unwrap();
    let held = take(&store, 1, Duration::ZERO).await;
    assert_eq!(held[0].leased_until, host.now().plus(LEASE));
    let name = LeaseName::new("leader").unwrap();
    let lease = store.leases.acquire(&name, "a", LEASE).await.unwrap();
    let worker = WorkerInfo::new(
        "w".to_owned(),
        "host".to_owned(),
        1,
        "1".to_owned(),
        host.now(),
    );
    store.admin.announce(&worker, LEASE).await.unwrap();
    assert_eq!(clock_finding(&store).await, None);

    host.step(DAY);
    assert!(take(&store, 1, Duration::ZERO).await.is_empty());
    assert_eq!(waiting(&store).await, 0, "it is leased");
    let other = store.leases.acquire(&name, "b", LEASE).await.unwrap();
    assert_eq!(other, None, "{lease:?} goes on");
    assert_eq!(store.admin.workers().await.unwrap().len(), 1);
    let id = held[0].message.id;
    let found = store.admin.find(&queue(), id).await.unwrap();
    let longshore_core::Found::Message(found) = found else {
        panic!("{found:?}");
    };
    let until = host.now().plus(LEASE);
    assert_eq!(found.state, MessageState::Leased { until });
    let told = clock_finding(&store).await.unwrap();
    assert!(told.contains("ahead by 86400 s"), "{told}");

    host.pass(LEASE);
    let again = take(&store, 1, Duration::ZERO).await;
    assert_eq!(again.len(), 1, "a lease still ends");
    assert_eq!(again[0].attempt, 2);
}

#[tokio::test]
async fn a_clock_set_back_makes_no_lease_longer() {
    let scene = Scene::new();
    let host = Host::started_at(NOVEMBER + DAY);
    let store = host.open(&scene).await;
    put(&store, "one").await.unwrap();
    assert_eq!(take(&store, 1, Duration::ZERO).await.len(), 1);
    host.step(-DAY);
    host.pass(LEASE);
    assert_eq!(waiting(&store).await, 1);
    let again = take(&store, 1, Duration::ZERO).await;
    assert_eq!(again.len(), 1, "the worker that had it is gone");
    assert_eq!(again[0].leased_until, host.now().plus(LEASE));
    let told = clock_finding(&store).await.unwrap();
    assert!(told.contains("back by 86400 s"), "{told}");
}

#[tokio::test]
async fn processes_that_open_before_and_after_a_step_agree() {
    let scene = Scene::new();
    let host = Host::started_at(NOVEMBER);
    let early = host.open(&scene).await;
    put(&early, "one").await.unwrap();
    assert_eq!(take(&early, 1, Duration::ZERO).await.len(), 1);
    host.step(DAY);
    // Another process of the same host: it shares the boot and none of the memory.
    let another = Arc::new(Host {
        boot: host.boot,
        up: AtomicU64::new(host.up.load(Ordering::SeqCst)),
        wall_ahead: AtomicI64::new(host.wall_ahead.load(Ordering::SeqCst)),
    });
    let deadline_exceeded = another.open(&scene).await;
    assert!(take(&deadline_exceeded, 1, Duration::ZERO).await.is_empty());
    another.pass(LEASE);
    assert_eq!(take(&deadline_exceeded, 1, Duration::ZERO).await.len(), 1);
}

#[tokio::test]
async fn a_host_that_starts_with_a_wrong_clock_waits_for_no_old_lease() {
    let scene = Scene::new();
    {
        let host = Host::started_at(NOVEMBER);
        let store = host.open(&scene).await;
        put(&store, "one").await.unwrap();
        assert_eq!(take(&store, 1, Duration::ZERO).await.len(), 1);
    }
    // The power failed, and this host keeps no time without it.
    let host = Host::started_at(NOVEMBER - 300 * DAY);
    let store = host.open(&scene).await;
    assert!(take(&store, 1, Duration::ZERO).await.is_empty());
    host.pass(LEASE);
    assert_eq!(take(&store, 1, Duration::ZERO).await.len(), 1);
    assert_eq!(clock_finding(&store).await, None);
}

#[tokio::test]
async fn due_times_follow_the_wall_clock() {
    let scene = Scene::new();
    let host = Host::started_at(NOVEMBER);
    let store = host.open(&scene).await;
    let mut message = crate::scene::message("tomorrow");
    message.due = Some(longshore_core::Due::At(
        host.now().plus(Duration::from_secs(86_400)),
    ));
    store.queues.enqueue(&queue(), &[message]).await.unwrap();
    assert!(take(&store, 1, Duration::ZERO).await.is_empty());
    host.step(DAY);
    assert_eq!(take(&store, 1, Duration::ZERO).await.len(), 1);
}
