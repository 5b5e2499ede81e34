//! Parts that handlers collect come out as one message, whatever fails on the way.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use longshore::aggregate::{Folding, Judge, fold_json};
use longshore::core::{
    Changed, DeadReason, Fate, Message, QueueName, Settled, StoredMessage, Turn,
};
use longshore::prelude::*;
use longshore::{Aggregate, AggregateError, AggregateRules, JobContext, Release, WorkerBuilder};

use longshore_conformance::{Call, FaultStore};

use crate::stage::{Count, Stage, count, start, until};

fn of_size(size: u32) -> AggregateRules {
    let mut rules = AggregateRules::default();
    rules.size = Some(size);
    rules
}

fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

impl Stage {
    fn aggregate(&self, rules: AggregateRules) -> Aggregate {
        Aggregate::open(&self.connection, "sums", rules).unwrap()
    }

    /// A worker that collects numbers by their last digit.
    fn collecting(&self, aggregate: &Aggregate) -> WorkerBuilder<Aggregate> {
        let collect = async |job: Count, context: JobContext, State(to): State<Aggregate>| {
            let key = (job.number % 10).to_string();
            let part = to.collect(&context.delivery.message, key, &job.number);
            part.await.map(drop).map_err(AggregateError::into_failure)
        };
        self.worker()
            .with_state(aggregate.clone())
            .queue("work", |q| q.handle(collect))
    }

    async fn bodies(&self, name: &str) -> Vec<String> {
        let admin = &self.connection.backend().admin;
        let (name, max) = (queue(name), NonZeroU32::new(1000).unwrap());
        let page = admin.peek(&name, None, max).await.unwrap();
        let text = |one: &StoredMessage| String::from_utf8_lossy(one.body()).into_owned();
        let mut bodies: Vec<_> = page.items.iter().map(text).collect();
        bodies.sort();
        bodies
    }

    async fn dead_of(&self, name: &str) -> Vec<StoredMessage> {
        let admin = &self.connection.backend().admin;
        let (name, max) = (queue(name), NonZeroU32::new(1000).unwrap());
        admin.dead_letters(&name, None, max).await.unwrap().items
    }

    /// A message as a handler would see it.
    async fn message(&self, number: u64) -> Message {
        self.queue().enqueue(count(number)).await.unwrap();
        let stored = self.peek().await.remove(0);
        stored.message().unwrap().clone()
    }

    async fn until_out(&self, count: usize) {
        until("epochs are released", async || {
            self.bodies("out").await.len() == count
        })
        .await;
    }
}

#[tokio::test]
async fn what_handlers_collect_is_released_once_it_is_complete() {
    for stage in [Stage::memory().await, Stage::sqlite().await] {
        let aggregate = stage.aggregate(of_size(3));
        let release = Release::to(&aggregate, "out").unwrap().fold(Folding::Sum);
        let worker = stage.collecting(&aggregate).release(release);
        let running = start(worker.build().unwrap());
        stage
            .queue()
            .enqueue_batch((0..30).map(count))
            .await
            .unwrap();
        stage.until_out(10).await;
        let sums = stage.bodies("out").await;
        let mut wanted: Vec<_> = (0..10).map(|digit| (digit * 3 + 30).to_string()).collect();
        wanted.sort();
        assert_eq!(sums, wanted);
        let admin = &stage.connection.backend().admin;
        let page = admin
            .peek(&queue("out"), None, NonZeroU32::MIN)
            .await
            .unwrap();
        let message = page.items[0].message().unwrap();
        assert_eq!(message.headers.get("aggregate"), Some("sums"));
        assert_eq!(message.headers.get("aggregate-completed-by"), Some("size"));
        assert_eq!(message.headers.get("aggregate-parts"), Some("3"));
        assert!(message.headers.get("aggregate-key").is_some());
        running.stop().await;
    }
}

#[tokio::test]
async fn idle_time_releases_without_another_part() {
    let stage = Stage::memory().await;
    let mut rules = AggregateRules::default();
    rules.idle_ms = Some(50);
    let aggregate = stage.aggregate(rules);
    let release = Release::to(&aggregate, "out").unwrap();
    let running = start(
        stage
            .collecting(&aggregate)
            .release(release)
            .build()
            .unwrap(),
    );
    stage.queue().enqueue(count(7)).await.unwrap();
    stage.until_out(1).await;
    assert_eq!(stage.bodies("out").await, ["[7]"]);
    running.stop().await;
}

#[tokio::test]
async fn a_fold_that_fails_leaves_all_parts_in_the_dead_letters_and_can_be_redriven() {
    let stage = Stage::memory().await;
    let aggregate = stage.aggregate(of_size(2));
    let works = Arc::new(AtomicBool::new(false));
    let switch = works.clone();
    let fold = fold_json(move |numbers: Vec<u64>| {
        if switch.load(Ordering::SeqCst) {
            return Ok(numbers.iter().sum::<u64>());
        }
        Err(Failure::permanent("the rate is not known").label("rate"))
    });
    let release = Release::to(&aggregate, "out").unwrap().fold(fold);
    let running = start(
        stage
            .collecting(&aggregate)
            .release(release)
            .build()
            .unwrap(),
    );
    stage
        .queue()
        .enqueue_batch([count(1), count(11)])
        .await
        .unwrap();
    until("it is dead", async || {
        !stage.dead_of("aggregate.sums").await.is_empty()
    })
    .await;
    let dead = stage.dead_of("aggregate.sums").await.remove(0);
    let mark = dead.dead().unwrap();
    assert_eq!(mark.reason, DeadReason::Permanent);
    assert!(
        mark.error
            .as_deref()
            .unwrap()
            .contains("the rate is not known")
    );
    let body: serde_json::Value = serde_json::from_slice(dead.body()).unwrap();
    assert_eq!(body["parts"].as_array().unwrap().len(), 2);
    assert!(stage.bodies("out").await.is_empty());
    works.store(true, Ordering::SeqCst);
    let admin = &stage.connection.backend().admin;
    let redriven = admin.redrive(&queue("aggregate.sums"), &[dead.id()]).await;
    assert_eq!(redriven.unwrap(), [Changed::Applied]);
    stage.until_out(1).await;
    assert_eq!(stage.bodies("out").await, ["12"]);
    let page = admin
        .peek(&queue("out"), None, NonZeroU32::MIN)
        .await
        .unwrap();
    assert_eq!(page.items[0].id(), dead.id(), "the id of the epoch");
    running.stop().await;
}

#[tokio::test]
async fn a_fold_that_panics_is_a_failed_one() {
    let stage = Stage::memory().await;
    let aggregate = stage.aggregate(of_size(1));
    let fold =
        fold_json(|numbers: Vec<u64>| -> Result<u64, Failure> { panic!("a fold of {numbers:?}") });
    let release = Release::to(&aggregate, "out").unwrap().fold(fold);
    let running = start(
        stage
            .collecting(&aggregate)
            .release(release)
            .build()
            .unwrap(),
    );
    stage.queue().enqueue(count(1)).await.unwrap();
    until("it is dead", async || {
        !stage.dead_of("aggregate.sums").await.is_empty()
    })
    .await;
    running.stop().await;
}

#[derive(Debug)]
struct Enough;

impl Judge for Enough {
    fn is_complete(&self, predicate: &str, parts: &[Message]) -> Result<bool, Failure> {
        let wanted: u64 = predicate
            .parse()
            .map_err(|_| Failure::permanent("no number"))?;
        let number = |part: &Message| -> u64 { serde_json::from_slice(&part.body).unwrap() };
        Ok(parts.iter().map(number).sum::<u64>() >= wanted)
    }
}

#[tokio::test]
async fn a_predicate_over_the_parts_completes_an_epoch() {
    let stage = Stage::sqlite().await;
    let mut rules = AggregateRules::default();
    rules.predicate = Some("50".into());
    let aggregate = stage.aggregate(rules);
    let release = Release::to(&aggregate, "out").unwrap().judge(Enough);
    let running = start(
        stage
            .collecting(&aggregate)
            .release(release)
            .build()
            .unwrap(),
    );
    for number in [10, 20, 30] {
        stage.queue().enqueue(count(number)).await.unwrap();
        stage.until_empty().await;
    }
    stage.until_out(1).await;
    assert_eq!(stage.bodies("out").await, ["[10,20,30]"]);
    running.stop().await;
}

/// Two workers, each with its own closer: an epoch is released once.
#[tokio::test]
async fn several_workers_release_each_epoch_once() {
    let stage = Stage::sqlite().await;
    let mut workers = Vec::new();
    for _ in 0..3 {
        let aggregate = stage.aggregate(of_size(4));
        let release = Release::to(&aggregate, "out").unwrap();
        workers.push(start(
            stage
                .collecting(&aggregate)
                .release(release)
                .build()
                .unwrap(),
        ));
    }
    stage
        .queue()
        .enqueue_batch((0..400).map(count))
        .await
        .unwrap();
    stage.until_out(100).await;
    let bodies = stage.bodies("out").await;
    let numbers: std::collections::BTreeSet<u64> = bodies
        .iter()
        .flat_map(|body| serde_json::from_str::<Vec<u64>>(body).unwrap())
        .collect();
    assert_eq!(numbers.len(), 400, "each number once");
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_when_it_is_described() {
    let stage = Stage::memory().await;
    let nothing = Aggregate::open(&stage.connection, "sums", AggregateRules::default());
    assert!(
        nothing
            .unwrap_err()
            .to_string()
            .contains("nothing would ever complete")
    );
    let name = Aggregate::open(&stage.connection, "a b", of_size(1));
    assert!(name.unwrap_err().to_string().contains("aggregate name"));
    let other = Stage::memory().await;
    let elsewhere = Release::to(&other.aggregate(of_size(1)), "out").unwrap();
    let refused = stage.worker().release(elsewhere).build().unwrap_err();
    assert!(
        refused.to_string().contains("another connection"),
        "{refused}"
    );
}

/// A worker that was slow reads the parts of an epoch that another one has released meanwhile.
#[tokio::test]
async fn what_another_worker_released_meanwhile_becomes_no_message() {
    let stage = Stage::manual().await;
    let (wrapped, faults) = FaultStore::wrap(stage.connection.backend().clone());
    let gate = faults.hold_before(Call::Parts, 1);
    let mut options = OpenOptions::default();
    options.clock = Some(stage.connection.clock().clone());
    let slow = Connection::of(stage.connection.url().clone(), wrapped, &options);
    let aggregate = Aggregate::open(&slow, "sums", of_size(1)).unwrap();
    let release = Release::to(&aggregate, "out").unwrap();
    let worker = Worker::builder(slow).idle_wait(Duration::from_millis(50));
    let running = start(worker.release(release).build().unwrap());
    let message = stage.message(7).await;
    aggregate.collect(&message, "ann", &7).await.unwrap();
    gate.reached().await;

    stage
        .clock
        .as_ref()
        .unwrap()
        .advance(Duration::from_secs(30));
    let (store, name) = (
        stage.connection.backend().aggregates().unwrap(),
        aggregate.name(),
    );
    let turn = Turn {
        max: NonZeroU32::MIN,
        lease: Duration::from_secs(30),
    };
    let closed = store.turn(name, turn).await.unwrap().closed.remove(0);
    let done = [(closed.receipt, Fate::Released)];
    assert_eq!(store.finish(name, &done).await.unwrap(), [Settled::Applied]);
    let tried = faults.calls(Call::Finish);
    gate.open();
    until("the slow worker gave up", async || {
        faults.calls(Call::Finish) > tried
    })
    .await;
    assert!(stage.bodies("out").await.is_empty());
    assert!(stage.dead_of("aggregate.sums").await.is_empty());
    running.stop().await;
}

#[tokio::test]
async fn a_fold_that_hangs_goes_to_the_dead_letters_and_holds_up_no_other_key() {
    let stage = Stage::memory().await;
    let aggregate = stage.aggregate(of_size(1));
    // Dropped at the end of the test, which lets the threads go on.
    let (held, never) = std::sync::mpsc::sync_channel::<()>(0);
    let never = Mutex::new(never);
    let fold = fold_json(move |numbers: Vec<u64>| {
        if numbers[0] < 40 {
            let _disconnected = never.lock().map(|never| never.recv());
        }
        Ok(numbers[0])
    });
    let release = Release::to(&aggregate, "out").unwrap().fold(fold);
    let release = release.timeout(Duration::from_millis(200));
    let running = start(
        stage
            .collecting(&aggregate)
            .release(release)
            .build()
            .unwrap(),
    );
    // More than are folded at a time.
    stage
        .queue()
        .enqueue_batch((0..50).map(count))
        .await
        .unwrap();
    stage.until_out(10).await;
    until("those that hang are dead", async || {
        stage.dead_of("aggregate.sums").await.len() == 40
    })
    .await;
    let dead = stage.dead_of("aggregate.sums").await;
    let label = &dead[0].history.last().unwrap().record.label;
    assert_eq!(label.as_str(), "timeout");
    drop(held);
    running.stop().await;
}

/// Parts that move the end of an epoch away cost no turn each.
#[tokio::test]
async fn a_part_that_changes_nothing_for_the_closer_wakes_it_not() {
    let stage = Stage::memory().await;
    let (wrapped, faults) = FaultStore::wrap(stage.connection.backend().clone());
    let url = stage.connection.url().clone();
    let connection = Connection::of(url, wrapped, &OpenOptions::default());
    let mut rules = AggregateRules::default();
    rules.idle_ms = Some(600_000);
    let aggregate = Aggregate::open(&connection, "sums", rules).unwrap();
    let worker = Worker::builder(connection);
    let release = Release::to(&aggregate, "out").unwrap();
    let running = start(worker.release(release).build().unwrap());
    let message = stage.message(7).await;
    for number in 0..500_u32 {
        let mut part = aggregate.part_of(&message, "ann", "7".into()).unwrap();
        part.message.id = message.id.derive(&[&number.to_le_bytes()]);
        aggregate.append(&[part]).await.unwrap();
        // So that the closer may do what it was woken for.
        tokio::task::yield_now().await;
    }
    let turns = faults.calls(Call::Turn);
    assert!(turns < 50, "{turns} turns for 500 parts");
    running.stop().await;
}
