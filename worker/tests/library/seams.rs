//! The seams of the library: extractors, processors, actions of clauses, the registry of workers.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use longshore::core::{Clause, ClauseAction, PolicyChange};
use longshore::prelude::*;
use longshore::{
    ErrorPolicy, JobContext, JobKind, Label, Outcome, Processor, ProcessorOptions, QueueName,
};

use crate::stage::{Count, Stage, count, start, until};

#[derive(Clone)]
struct Seen(Arc<Mutex<Vec<String>>>);

#[expect(clippy::too_many_arguments, reason = "as many as a handler may have")]
async fn all_eight(
    job: Count,
    State(seen): State<Seen>,
    Attempt(attempt): Attempt,
    id: MessageId,
    headers: Headers,
    Group(group): Group,
    EnqueuedAt(at): EnqueuedAt,
    Raw(body): Raw,
    enqueue: Enqueue,
) -> Result<(), Failure> {
    let child = enqueue.child("children", "only", count(job.number + 1))?;
    let child = child.await?;
    assert_eq!(child.id, enqueue.child_id("only"));
    assert_ne!(child.id, id);
    let group = group.map(|group| group.to_string());
    let line = format!(
        "{attempt} {:?} {group:?} {} {body:?}",
        headers.get("h"),
        at.as_millis() > 0
    );
    seen.0.lock().unwrap().push(line);
    // The second attempt names the same child.
    if attempt == 1 {
        return Err(Failure::retryable("once more"));
    }
    Ok(())
}

#[tokio::test]
async fn a_handler_may_ask_for_eight_things_and_reruns_name_the_same_child() {
    let stage = Stage::memory().await;
    let seen = Seen(Arc::default());
    let request = stage.queue().enqueue(count(1)).header("h", "v");
    request.group("g").await.unwrap();
    let worker = stage
        .worker()
        .policy(Policy::new().delay(Duration::from_millis(1)));
    let worker = worker
        .with_state(seen.clone())
        .queue("work", |q| q.handle(all_eight));
    let running = start(worker.build().unwrap());
    stage.until_empty().await;
    running.stop().await;
    let lines = seen.0.lock().unwrap().clone();
    let expected =
        |attempt| format!("{attempt} Some(\"v\") Some(\"g\") true b\"{{\\\"number\\\":1}}\"");
    assert_eq!(lines, [expected(1), expected(2)]);
    let children = QueueName::new("children").unwrap();
    let stats = stage.connection.backend().admin.stats(&children).await;
    assert_eq!(
        stats.unwrap().unwrap().waiting,
        1,
        "one child of two attempts"
    );
}

#[derive(Debug)]
struct AlwaysFails;

#[async_trait]
impl Processor for AlwaysFails {
    async fn process(&self, _job: JobContext) -> Outcome {
        Outcome::Failed(Failure::retryable("no").label("hopeless"))
    }
}

#[tokio::test]
async fn a_clause_may_forward_a_message_to_another_queue() {
    let stage = Stage::memory().await;
    let mut policy = ErrorPolicy::default();
    policy.clauses.push(Clause {
        pattern: Label::new("handler.hopeless").unwrap(),
        at_route: true,
        change: PolicyChange::default(),
        action: Some(ClauseAction::Forward {
            queue: QueueName::new("elsewhere").unwrap(),
            store: None,
        }),
    });
    let kind = JobKind::new("count").unwrap();
    let options = ProcessorOptions::named("test").policy(policy);
    let worker = stage.worker().queue("work", |q| {
        q.process(Some(kind), Arc::new(AlwaysFails), options)
    });
    stage
        .queue()
        .enqueue(count(1))
        .header("h", "v")
        .await
        .unwrap();
    let running = start(worker.build().unwrap());
    stage.until_empty().await;
    let report = running.stop().await;
    assert_eq!((report.acked, report.dead), (1, 0));
    let elsewhere = QueueName::new("elsewhere").unwrap();
    let max = std::num::NonZeroU32::new(10).unwrap();
    let admin = &stage.connection.backend().admin;
    let page = admin.peek(&elsewhere, None, max).await.unwrap();
    let message = page.items[0].message().unwrap();
    assert_eq!(message.body, "{\"number\":1}");
    assert_eq!(message.headers.get("h"), Some("v"));
}

#[tokio::test]
async fn a_worker_is_listed_while_it_runs() {
    let stage = Stage::memory().await;
    let (tell, wait) = (
        Arc::new(tokio::sync::Notify::new()),
        Arc::new(tokio::sync::Notify::new()),
    );
    let (told, waited) = (tell.clone(), wait.clone());
    let handler = move |_: Count| {
        let (told, waited) = (told.clone(), waited.clone());
        async move {
            told.notify_one();
            waited.notified().await;
        }
    };
    let worker = stage.worker().name("anchor").concurrency(3);
    stage.queue().enqueue(count(1)).await.unwrap();
    let worker = worker.queue("work", |q| q.handle(handler).concurrency(2));
    let running = start(worker.build().unwrap());
    tell.notified().await;
    let admin = &stage.connection.backend().admin;
    until("it is listed with its job", async || {
        let listed = admin.workers().await.unwrap();
        listed.first().is_some_and(|worker| worker.jobs.len() == 1)
    })
    .await;
    let listed = admin.workers().await.unwrap().remove(0);
    assert_eq!(listed.id, running.handle.id());
    assert_eq!(listed.slots, 2, "what its queue can use");
    assert!(listed.id.starts_with("anchor-"), "{}", listed.id);
    assert_eq!(
        (listed.kinds, listed.pid),
        (vec!["count".to_owned()], std::process::id())
    );

    running.handle.stop();
    until("the drain is shown with its job", async || {
        let listed = admin.workers().await.unwrap().remove(0);
        listed.draining && listed.jobs.len() == 1
    })
    .await;
    wait.notify_one();
    running.stop().await;
    assert!(admin.workers().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_heartbeat_goes_on_while_every_slot_is_busy() {
    let stage = Stage::memory().await;
    let hang = async |_: Count| std::future::pending::<()>().await;
    let worker = stage
        .worker()
        .concurrency(1)
        .drain(Duration::from_millis(10));
    stage.queue().enqueue(count(1)).await.unwrap();
    let running = start(worker.queue("work", |q| q.handle(hang)).build().unwrap());
    until("it runs", async || !running.handle.running().is_empty()).await;
    let before = running.handle.heartbeat();
    assert!(before <= Instant::now());
    until("it beats again", async || {
        running.handle.heartbeat() > before
    })
    .await;
    running.stop().await;
}
