//! The list of workers.

use std::time::Duration;

use longshore_core::{RunningJob, Timestamp, WorkerInfo};

use crate::Stage;
use crate::case::cases;
use crate::draft::{message, secs};
use crate::stage::name;

cases! { "workers";
    19 an_announced_worker_is_listed_as_it_said,
    19 a_worker_that_is_not_heard_of_leaves_the_list,
    19 a_repeated_announcement_replaces_the_one_before,
    19 a_zero_time_takes_a_worker_off_the_list,
    19 every_handle_sees_the_workers,
    19 not_more_than_so_many_jobs_are_listed,
}

fn worker(id: &str) -> WorkerInfo {
    let mut info = WorkerInfo::new(
        id.to_owned(),
        "host-1".to_owned(),
        17,
        "0.1.0".to_owned(),
        Timestamp::from_millis(5),
    );
    info.queues = vec![name("work"), name("mail")];
    info.kinds = vec!["resize".to_owned()];
    info.slots = 8;
    info
}

async fn announce(stage: &Stage, worker: &WorkerInfo, ttl: Duration) {
    let announced = stage.store.admin.announce(worker, ttl).await;
    announced.expect("announce");
}

async fn list(stage: &Stage) -> Vec<WorkerInfo> {
    stage.store.admin.workers().await.expect("workers")
}

/// Everything it told, with the store's time.
async fn an_announced_worker_is_listed_as_it_said(stage: Stage) {
    let mut told = worker("w1");
    told.draining = true;
    told.jobs = vec![RunningJob {
        id: message("a").id,
        queue: name("work"),
        attempt: 3,
        started_at: stage.now(),
    }];
    stage.advance(secs(7));
    announce(&stage, &told, secs(30)).await;
    told.seen_at = stage.now();
    assert_eq!(list(&stage).await, [told]);
}

/// It is listed for as long as it asked.
async fn a_worker_that_is_not_heard_of_leaves_the_list(stage: Stage) {
    announce(&stage, &worker("w1"), secs(30)).await;
    stage.advance(secs(20));
    announce(&stage, &worker("w2"), secs(30)).await;
    stage.advance(secs(10));
    let left = list(&stage).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].id, "w2");
}

/// One line for each worker.
async fn a_repeated_announcement_replaces_the_one_before(stage: Stage) {
    announce(&stage, &worker("w1"), secs(30)).await;
    stage.advance(secs(20));
    let mut later = worker("w1");
    later.slots = 2;
    announce(&stage, &later, secs(30)).await;
    stage.advance(secs(20));
    let left = list(&stage).await;
    assert_eq!((left.len(), left[0].slots), (1, 2));
}

/// A worker that ends says good-bye.
async fn a_zero_time_takes_a_worker_off_the_list(stage: Stage) {
    announce(&stage, &worker("w1"), secs(30)).await;
    announce(&stage, &worker("w2"), secs(30)).await;
    announce(&stage, &worker("w1"), Duration::ZERO).await;
    announce(&stage, &worker("w3"), Duration::ZERO).await;
    let left = list(&stage).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].id, "w2");
}

/// The store is the meeting point.
async fn every_handle_sees_the_workers(stage: Stage) {
    let other = stage.subject.reopen().await;
    announce(&stage, &worker("w1"), secs(30)).await;
    let seen = other.admin.workers().await.expect("workers");
    assert_eq!(seen, list(&stage).await);
    assert_eq!(seen.len(), 1);
}

/// A worker with thousands of slots does not swell the store.
async fn not_more_than_so_many_jobs_are_listed(stage: Stage) {
    let mut busy = worker("w1");
    let job = RunningJob {
        id: message("a").id,
        queue: name("work"),
        attempt: 1,
        started_at: stage.now(),
    };
    busy.jobs = vec![job; WorkerInfo::JOBS_MAX + 9];
    announce(&stage, &busy, secs(30)).await;
    assert_eq!(list(&stage).await[0].jobs.len(), WorkerInfo::JOBS_MAX);
}
