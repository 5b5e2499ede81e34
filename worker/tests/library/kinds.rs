//! Kinds, concurrency, groups, checkpoints, blocking handlers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use longshore::BuildError;
use longshore::core::{Clock, OnGroupDead, SettingsChange};
use longshore::prelude::*;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use crate::stage::{Count, Stage, count, start, until};

#[tokio::test]
async fn a_kind_that_nobody_takes_is_put_back_uncharged_and_counted() {
    let stage = Stage::manual().await;
    let queue = stage.queue();
    queue.enqueue_raw("stranger", "x").await.unwrap();
    queue.enqueue(count(1)).await.unwrap();
    let worker = stage
        .worker()
        .queue("work", |q| q.handle(async |_: Count| ()));
    let running = start(worker.build().unwrap());
    let clock = stage.clock.as_ref().unwrap();
    for (turn, pause) in [5_u64, 10, 20, 40, 60, 60].into_iter().enumerate() {
        until("it is put back", async || {
            running.handle.stats().unserved == turn as u64 + 1
        })
        .await;
        let left = stage.peek().await;
        let stranger = left
            .iter()
            .find(|one| one.attempts == 0 && one.due_at > clock.now());
        let due = stranger.expect("it waits").due_at;
        assert_eq!(due.since(clock.now()), Duration::from_secs(pause));
        clock.advance(Duration::from_secs(pause));
    }
    let report = running.stop().await;
    assert_eq!((report.acked, report.dead), (1, 0));
    assert_eq!(stage.peek().await[0].attempts, 0, "no attempt was burnt");
}

#[tokio::test]
async fn the_exact_kind_wins_over_the_handler_for_every_kind() {
    let stage = Stage::memory().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (exact, any) = (seen.clone(), seen.clone());
    let worker = stage.worker().queue("work", |q| {
        q.handle_raw(None, move |job| {
            let line = format!("any {}", job.delivery.message.kind);
            any.lock().unwrap().push(line);
            async {}
        })
        .handle(move |job: Count| {
            exact.lock().unwrap().push(format!("count {}", job.number));
            async {}
        })
    });
    stage.queue().enqueue(count(3)).await.unwrap();
    stage.queue().enqueue_raw("other", "x").await.unwrap();
    let running = start(worker.build().unwrap());
    stage.until_empty().await;
    running.stop().await;
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    assert_eq!(seen, ["any other", "count 3"]);
}

#[tokio::test]
async fn descriptions_that_make_no_sense_are_refused() {
    let stage = Stage::memory().await;
    let ok = async |_: Count| ();
    let twice = stage
        .worker()
        .queue("work", |q| q.handle(ok).handle(ok))
        .build();
    assert!(matches!(twice.unwrap_err(), BuildError::KindTwice { .. }));
    let twice = stage
        .worker()
        .queue("a", |q| q.handle(ok))
        .queue("a", |q| q.handle(ok));
    assert!(matches!(
        twice.build().unwrap_err(),
        BuildError::QueueTwice(_)
    ));
    assert!(matches!(
        stage.worker().build().unwrap_err(),
        BuildError::NoQueue
    ));
    let none = stage.worker().queue("a", |q| q).build().unwrap_err();
    assert!(matches!(none, BuildError::NoHandler(_)));
    let name = stage
        .worker()
        .queue("a b", |q| q.handle(ok))
        .build()
        .unwrap_err();
    assert!(matches!(name, BuildError::Name(_)), "{name}");
    let label = stage
        .worker()
        .queue("a", |q| q.handle(ok).on_error("x y", Policy::new()));
    assert!(matches!(label.build().unwrap_err(), BuildError::Name(_)));
    let slots = stage
        .worker()
        .concurrency(0)
        .queue("a", |q| q.handle(ok))
        .build();
    assert!(matches!(slots.unwrap_err(), BuildError::Setting(_)));
}

/// Counts how many run at a time, and holds them until they may go on.
#[derive(Clone)]
struct Together(Arc<Counted>);

struct Counted {
    now: AtomicU32,
    most: AtomicU32,
    may_go: Semaphore,
}

impl Together {
    fn held() -> Self {
        Self(Arc::new(Counted {
            now: AtomicU32::new(0),
            most: AtomicU32::new(0),
            may_go: Semaphore::new(0),
        }))
    }

    async fn run(&self, all: &Self) {
        all.begin();
        self.begin();
        let _goes = self.0.may_go.acquire().await.unwrap();
        self.0.now.fetch_sub(1, Ordering::SeqCst);
        all.0.now.fetch_sub(1, Ordering::SeqCst);
    }

    fn begin(&self) {
        let now = self.0.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(now, Ordering::SeqCst);
    }

    async fn until_running(&self, jobs: u32) {
        until("so many run", async || {
            self.0.now.load(Ordering::SeqCst) == jobs
        })
        .await;
    }

    fn let_go(&self) {
        self.0.may_go.add_permits(Semaphore::MAX_PERMITS);
    }

    fn most(&self) -> u32 {
        self.0.most.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_of_worker_queue_and_handler_are_kept_and_used() {
    let stage = Stage::memory().await;
    let (all, first, second) = (Together::held(), Together::held(), Together::held());
    let handler = |own: &Together| {
        let (all, own) = (all.clone(), own.clone());
        move |_: Count| {
            let (all, own) = (all.clone(), own.clone());
            async move { own.run(&all).await }
        }
    };
    let worker = stage.worker().concurrency(6);
    let worker = worker.queue("work", |q| q.concurrency(4).handle(handler(&first)));
    let worker = worker.queue("more", |q| {
        q.handle_with(handler(&second), |h| h.concurrency(3))
    });
    let running = start(worker.build().unwrap());
    let done = |jobs| {
        let handle = running.handle.clone();
        async move { until("they are done", async || handle.stats().done.acked == jobs).await }
    };
    let jobs = || (0..200).map(count);
    stage.queue().enqueue_batch(jobs()).await.unwrap();
    first.until_running(4).await;
    let more = stage.connection.queue("more").unwrap();
    more.enqueue_batch(jobs()).await.unwrap();
    all.until_running(6).await;
    first.let_go();
    done(200).await;
    second.until_running(3).await;
    second.let_go();
    done(400).await;
    running.stop().await;
    assert_eq!((all.most(), first.most(), second.most()), (6, 4, 3));
}

#[tokio::test]
async fn more_queues_than_slots_all_get_their_turn() {
    let stage = Stage::memory().await;
    let mut worker = stage.worker().concurrency(1);
    for name in ["a", "b", "c"] {
        worker = worker.queue(name, |q| q.handle(async |_: Count| ()));
        let queue = stage.connection.queue(name).unwrap();
        queue.enqueue_batch((0..20).map(count)).await.unwrap();
    }
    let running = start(worker.build().unwrap());
    until("all are done", async || {
        running.handle.stats().done.acked == 60
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn a_retry_never_holds_a_slot() {
    let stage = Stage::memory().await;
    let queue = stage.queue();
    queue.enqueue_batch((0..1000).map(count)).await.unwrap();
    queue.enqueue_raw("good", "x").await.unwrap();
    let fails = async |_: Count| Err::<(), _>(Failure::retryable("not yet"));
    let worker = stage.worker().concurrency(4);
    let worker = worker.policy(Policy::new().delay(Duration::from_secs(60)));
    let worker = worker.queue("work", |q| {
        q.handle(fails).handle_raw(Some("good"), async |_| ())
    });
    let running = start(worker.build().unwrap());
    until("the good one is done", async || {
        running.handle.stats().done.acked == 1
    })
    .await;
    until("all have failed", async || {
        stage.stats().await.delayed == 1000
    })
    .await;
    assert_eq!(running.handle.stats().running, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_keep_their_order_through_failures() {
    for stage in [Stage::memory().await, Stage::sqlite().await] {
        let queue = stage.queue();
        for number in 0..60 {
            let group = format!("g{}", number % 6);
            queue.enqueue(count(number)).group(group).await.unwrap();
        }
        let done = Arc::new(Mutex::new(Vec::new()));
        let seen = done.clone();
        let handler = move |job: Count, Attempt(attempt): Attempt| {
            let seen = seen.clone();
            async move {
                if job.number.is_multiple_of(5) && attempt < 3 {
                    return Err(Failure::retryable("not yet"));
                }
                seen.lock().unwrap().push(job.number);
                Ok(())
            }
        };
        let policy = Policy::redeliveries(5).delay(Duration::from_millis(2));
        let worker = stage
            .worker()
            .policy(policy)
            .queue("work", |q| q.handle(handler));
        let running = start(worker.build().unwrap());
        stage.until_empty().await;
        running.stop().await;
        let done = done.lock().unwrap();
        for group in 0..6 {
            let order: Vec<_> = done.iter().filter(|n| *n % 6 == group).collect();
            assert!(order.is_sorted(), "{order:?}");
            assert_eq!(order.len(), 10);
        }
    }
}

#[tokio::test]
async fn a_dead_member_parks_its_group_where_the_queue_says_so() {
    let stage = Stage::memory().await;
    let queue = stage.queue();
    let change = SettingsChange {
        author: "test".into(),
        on_group_dead: Some(OnGroupDead::Park),
        ..SettingsChange::default()
    };
    let admin = &stage.connection.backend().admin;
    admin.configure(queue.name(), &change).await.unwrap();
    for number in 0..3 {
        queue.enqueue(count(number)).group("g").await.unwrap();
    }
    let handler = async |job: Count| match job.number {
        0 => Err(Failure::permanent("never")),
        _ => Ok(()),
    };
    let worker = stage.worker().queue("work", |q| q.handle(handler));
    let running = start(worker.build().unwrap());
    until("the head is dead", async || stage.stats().await.dead == 1).await;
    assert_eq!(
        (stage.stats().await.parked, stage.stats().await.waiting),
        (1, 2)
    );
    let id = stage.dead().await[0].id();
    admin.discard(queue.name(), &[id]).await.unwrap();
    stage.until_empty().await;
    assert_eq!(running.stop().await.acked, 2);
}

#[tokio::test]
async fn a_checkpoint_reaches_the_next_attempt() {
    for stage in [Stage::memory().await, Stage::sqlite().await] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let handler = move |_: Count, checkpoint: Checkpoint| {
            let log = log.clone();
            async move {
                let done: u32 = checkpoint.read()?.unwrap_or(0);
                log.lock().unwrap().push(done);
                checkpoint.store(&(done + 1))?;
                if done < 3 {
                    return Err(Failure::retryable("half-way"));
                }
                Ok(())
            }
        };
        stage.queue().enqueue(count(1)).await.unwrap();
        let worker = stage
            .worker()
            .policy(Policy::new().delay(Duration::from_millis(1)));
        let running = start(worker.queue("work", |q| q.handle(handler)).build().unwrap());
        stage.until_empty().await;
        running.stop().await;
        assert_eq!(*seen.lock().unwrap(), [0, 1, 2, 3]);
    }
}

#[tokio::test]
async fn a_blocking_handler_keeps_its_slot_past_its_timeout() {
    let stage = Stage::memory().await;
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let opened = gate.clone();
    let (past, mut timeouts) = mpsc::channel(1);
    let block = move |_: Count, Attempt(attempt): Attempt, cancel: Cancel| {
        if attempt == 1 {
            // Off the worker's threads: it blocks.
            Handle::current().block_on(cancel.requested());
            past.blocking_send(()).unwrap();
            let (open, bell) = &*opened;
            let mut open = open.lock().unwrap();
            while !*open {
                open = bell.wait(open).unwrap();
            }
        }
    };
    for number in 0..2 {
        stage
            .queue()
            .enqueue(count(number))
            .group("g")
            .await
            .unwrap();
    }
    let worker = stage
        .worker()
        .concurrency(1)
        .policy(Policy::new().delay(Duration::ZERO));
    let worker = worker.queue("work", |q| {
        q.handle_blocking_with(block, |h| h.timeout(Duration::from_millis(20)))
    });
    let running = start(worker.build().unwrap());
    timeouts.recv().await.unwrap();
    assert_eq!(
        running.handle.stats().done.retried,
        0,
        "its successor must not start"
    );
    assert_eq!(stage.stats().await.leased, 1);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!(report.dead, 0);
    assert_eq!(report.acked, 2);
}
