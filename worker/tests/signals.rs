//! `run()` watches the signals of the process. Alone in its program, since it sends itself one.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::process::Command;
use std::sync::Arc;

use longshore::prelude::*;
use tokio::sync::Notify;

#[derive(Serialize, Deserialize)]
struct Slow;

impl Job for Slow {
    const KIND: &'static str = "slow";
}

#[tokio::test]
async fn the_first_sigterm_drains_and_the_second_ends_the_run_at_once() {
    let connection = longshore::connect("memory://signals").await.unwrap();
    let queue = connection.queue("work").unwrap();
    let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (started.clone(), go_on.clone());
    let handler = move |_: Slow| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            tell.notify_one();
            wait.notified().await;
        }
    };
    for signals in [1, 2] {
        let worker = Worker::builder(connection.clone());
        let worker = worker.queue("work", |q| q.handle(handler.clone()));
        let worker = worker.build().unwrap();
        let handle = worker.handle();
        queue.enqueue(Slow).await.unwrap();
        let running = tokio::spawn(worker.run());
        started.notified().await;
        terminate_self();
        while !handle.stats().draining {
            tokio::task::yield_now().await;
        }
        assert_eq!(handle.running().len(), 1, "the job is allowed to end");
        if signals == 1 {
            go_on.notify_one();
        } else {
            terminate_self();
        }
        let report = running.await.unwrap().unwrap();
        assert_eq!(report.acked, u64::from(signals == 1));
    }
    let stats = connection.backend().admin.stats(queue.name()).await;
    assert_eq!(
        stats.unwrap().unwrap().leased,
        1,
        "left to the end of its lease"
    );
}

fn terminate_self() {
    let pid = std::process::id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
}
