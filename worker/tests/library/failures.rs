//! Failures: timeouts, panics, clauses, permanent ones, what is away, hooks that panic.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use longshore::core::{Clock, DeadReason, Label};
use longshore::prelude::*;

use crate::stage::{Count, Stage, count, start, until};

fn soon(redeliveries: u32) -> Policy {
    Policy::redeliveries(redeliveries).delay(Duration::from_millis(1))
}

impl Stage {
    /// Runs one message until it is dead; answers the labels of its attempts and the reason.
    async fn labels_of(&self, worker: longshore::WorkerBuilder) -> (Vec<String>, DeadReason) {
        self.queue().enqueue(count(1)).await.unwrap();
        let running = start(worker.build().unwrap());
        until("it is dead", async || self.stats().await.dead == 1).await;
        running.stop().await;
        let dead = self.dead().await;
        let records = dead[0].history.records().iter();
        let labels = records.map(|record| record.record.label.to_string());
        (labels.collect(), dead[0].dead().unwrap().reason)
    }
}

#[tokio::test]
async fn a_job_past_its_timeout_is_cancelled_and_fails_with_its_label() {
    let stage = Stage::memory().await;
    let hang = async |_: Count| std::future::pending::<()>().await;
    let worker = stage.worker().policy(soon(1));
    let worker = worker.queue("work", |q| {
        q.handle(hang).timeout(Duration::from_millis(20))
    });
    let (labels, reason) = stage.labels_of(worker).await;
    assert_eq!(
        (labels, reason),
        (vec!["timeout".into(); 2], DeadReason::Exhausted)
    );
}

#[tokio::test]
async fn panics_are_caught_wherever_they_come_from() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "while dropped");
        }
    }
    let stage = Stage::memory().await;
    let handler = async |_: Count, Attempt(attempt): Attempt| match attempt {
        1 => panic!("while running"),
        2 => {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        }
        _ => {}
    };
    let worker = stage.worker().policy(soon(1));
    let worker = worker.queue("work", |q| {
        q.handle(handler).timeout(Duration::from_millis(30))
    });
    let (labels, _) = stage.labels_of(worker).await;
    assert_eq!(labels, ["panic", "timeout"]);
}

#[tokio::test]
async fn a_permanent_failure_and_an_unreadable_body_die_at_once() {
    let stage = Stage::memory().await;
    let handler = async |_: Count| Err::<(), _>(Failure::permanent("never"));
    let worker = stage.worker().queue("work", |q| q.handle(handler));
    let (labels, reason) = stage.labels_of(worker).await;
    assert_eq!(
        (labels, reason),
        (vec!["handler".into()], DeadReason::Permanent)
    );

    let stage = Stage::memory().await;
    let queue = stage.queue();
    queue
        .enqueue_raw("count", "{\"number\":\"no\"}")
        .await
        .unwrap();
    let worker = stage
        .worker()
        .queue("work", |q| q.handle(async |_: Count| ()));
    let running = start(worker.build().unwrap());
    until("it is dead", async || stage.stats().await.dead == 1).await;
    running.stop().await;
    let dead = stage.dead().await;
    assert_eq!(
        dead[0].history.last().unwrap().record.label.as_str(),
        "decode"
    );
    assert_eq!(dead[0].message().unwrap().body, "{\"number\":\"no\"}");
}

#[tokio::test]
async fn clauses_choose_by_the_longest_label() {
    let stage = Stage::memory().await;
    let handler = async |_: Count| {
        let label = Label::new("http.503").unwrap();
        Err::<(), _>(Failure::retryable("busy").with_label(label))
    };
    let worker = stage.worker().policy(soon(9)).on_error("http", soon(5));
    let worker = worker.queue("work", |q| q.handle(handler).on_error("http.503", soon(2)));
    let (labels, _) = stage.labels_of(worker).await;
    assert_eq!(labels, ["http.503"; 3]);

    let stage = Stage::memory().await;
    let worker = stage.worker().queue("work", |q| {
        q.handle(handler)
            .on_error("http.5", soon(2))
            .on_error("http", Policy::dead_letter())
    });
    let (labels, reason) = stage.labels_of(worker).await;
    assert_eq!((labels.len(), reason), (1, DeadReason::Permanent));
}

#[tokio::test]
async fn a_clause_may_finish_a_message_as_done() {
    let stage = Stage::memory().await;
    let hang = async |_: Count| std::future::pending::<()>().await;
    let worker = stage.worker().on_error("timeout", Policy::handled());
    let worker = worker.queue("work", |q| {
        q.handle(hang).timeout(Duration::from_millis(10))
    });
    stage.queue().enqueue(count(1)).await.unwrap();
    let running = start(worker.build().unwrap());
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!((report.acked, report.dead), (1, 0));
}

#[tokio::test]
async fn what_is_away_is_released_uncharged_with_growing_pauses() {
    let stage = Stage::manual().await;
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let seen = attempts.clone();
    let handler = move |_: Count, Attempt(attempt): Attempt| {
        seen.lock().unwrap().push(attempt);
        let label = Label::new("forward.unavailable").unwrap();
        async move { Err::<(), _>(Failure::away(&label, "the other store is down")) }
    };
    stage.queue().enqueue(count(1)).await.unwrap();
    let worker = stage.worker().queue("work", |q| q.handle(handler));
    let running = start(worker.build().unwrap());
    let clock = stage.clock.as_ref().unwrap();
    for (turn, pause) in [1_u64, 2, 4, 8].into_iter().enumerate() {
        until("it is put back", async || {
            running.handle.stats().done.released == turn as u64 + 1
        })
        .await;
        let due = stage.peek().await[0].due_at;
        assert_eq!(due.since(clock.now()), Duration::from_secs(pause));
        clock.advance(Duration::from_secs(pause));
    }
    until("it ran again", async || attempts.lock().unwrap().len() == 5).await;
    running.stop().await;
    assert_eq!(
        *attempts.lock().unwrap(),
        [1; 5],
        "the attempt is given back"
    );
}

#[tokio::test]
async fn hooks_hear_of_it_and_a_panicking_one_changes_nothing() {
    let stage = Stage::memory().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let (retries, deaths) = (told.clone(), told.clone());
    let handler = async |_: Count| Err::<(), _>(Failure::retryable("no").label("x"));
    let worker = stage
        .worker()
        .policy(soon(1))
        .on_retry(|_| panic!("a hook"))
        .on_retry(move |event| {
            let line = format!("retry {} {}", event.attempt.attempt, event.attempt.label);
            retries.lock().unwrap().push(line);
        })
        .on_dead(|_| panic!("a hook"))
        .on_dead(move |event| {
            let line = format!("dead {} {:?}", event.attempt.attempt, event.reason);
            deaths.lock().unwrap().push(line);
        })
        .queue("work", |q| q.handle(handler));
    let (labels, _) = stage.labels_of(worker).await;
    assert_eq!(labels.len(), 2);
    assert_eq!(
        *told.lock().unwrap(),
        ["retry 1 handler.x", "dead 2 Exhausted"]
    );
}

#[tokio::test]
async fn an_outcome_may_put_a_message_back() {
    let stage = Stage::memory().await;
    let runs = Arc::new(AtomicU32::new(0));
    let seen = runs.clone();
    let handler = move |_: Count| {
        let first = seen.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if first {
                Outcome::Release {
                    delay: Duration::from_millis(5),
                }
            } else {
                Outcome::Done
            }
        }
    };
    stage.queue().enqueue(count(1)).await.unwrap();
    let worker = stage.worker().queue("work", |q| q.handle(handler));
    let running = start(worker.build().unwrap());
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!(
        (report.acked, report.released, runs.load(Ordering::SeqCst)),
        (1, 1, 2)
    );
}

/// What a handler calls its failure is what a clause may call it.
#[tokio::test]
async fn a_clause_names_a_failure_as_its_handler_does() {
    for label in ["http.503", "http", "handler.http.503"] {
        let stage = Stage::memory().await;
        let handler = async |_: Count| Err::<(), _>(Failure::retryable("busy").label("http.503"));
        let worker = stage.worker().queue("work", |q| {
            q.handle(handler).on_error(label, Policy::handled())
        });
        let running = start(worker.build().unwrap());
        stage.queue().enqueue(count(1)).await.unwrap();
        stage.until_empty().await;
        assert_eq!(running.stop().await.acked, 1, "{label}");
    }
}
