//! Many callers at once.

use std::collections::HashSet;

use longshore_core::{
    Backend, Delivery, Disposition, Enqueued, Result, SettingsChange, SettleFence, Settled,
};
use tokio::task::JoinSet;

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, given, message};
use crate::stage::LEASE;

cases! { "concurrency";
    1 concurrent_receivers_share_no_message,
    4 of_concurrent_repeats_of_an_id_one_is_stored,
    5 of_concurrent_repeats_of_a_key_one_is_stored,
    3 of_concurrent_settlements_of_a_receipt_one_counts,
    8 concurrent_receivers_never_hold_two_of_a_group,
    12 concurrent_producers_do_not_pass_the_depth_limit,
    16 concurrent_takers_of_a_lease_find_one_holder,
    9 concurrent_redrives_bring_back_one_message,
}

/// Two handles in turns, as many as asked for.
async fn handles(stage: &Stage, number: usize) -> Vec<Backend> {
    let other = stage.subject.reopen().await;
    let both = [&stage.store, &other];
    (0..number).map(|index| both[index % 2].clone()).collect()
}

async fn all<T: 'static>(mut tasks: JoinSet<T>) -> Vec<T> {
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result.expect("no task panics"));
    }
    results
}

/// Eight receivers on two handles drain a queue: each message once.
async fn concurrent_receivers_share_no_message(stage: Stage) {
    let batch: Vec<_> = (0..200).map(|n: u32| message(n.to_be_bytes())).collect();
    stage.put(&batch).await;
    let handles = handles(&stage, 8).await;
    let stage = std::sync::Arc::new(stage);
    let mut tasks = JoinSet::new();
    for handle in handles {
        let stage = stage.clone();
        tasks.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let taken = stage.receive_at(&handle, 7, LEASE).await.deliveries;
                if taken.is_empty() {
                    return mine;
                }
                mine.extend(taken);
            }
        });
    }
    let taken: Vec<_> = all(tasks).await.into_iter().flatten().collect();
    let seen: HashSet<_> = taken.iter().map(|one: &Delivery| one.message.id).collect();
    assert_eq!((taken.len(), seen.len()), (200, 200));
    assert!(taken.iter().all(|one| one.attempt == 1));
}

/// A producer that fires the same call twice stores one message.
async fn of_concurrent_repeats_of_an_id_one_is_stored(stage: Stage) {
    let new = given("a");
    let mut tasks = JoinSet::new();
    for handle in handles(&stage, 8).await {
        let (queue, new) = (stage.queue.clone(), new.clone());
        tasks.spawn(async move { handle.queues.enqueue(&queue, &[new]).await });
    }
    let answers = all(tasks).await;
    let repeat = stage.repeat_of(new.id);
    if repeat == Enqueued::Stored {
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    } else {
        one_stored(answers, |answer| answer == repeat);
    }
    assert_eq!(stage.take(9).await.len(), 1);
}

fn one_stored(
    answers: Vec<longshore_core::Result<Vec<Enqueued>>>,
    is_repeat: impl Fn(Enqueued) -> bool,
) {
    let answers: Vec<_> = answers
        .into_iter()
        .flat_map(|answer| answer.expect("enqueue"))
        .collect();
    let stored = answers.iter().filter(|one| **one == Enqueued::Stored);
    assert_eq!(stored.count(), 1, "{answers:?}");
    let repeats = answers.iter().filter(|one| is_repeat(**one)).count();
    assert_eq!(repeats, answers.len() - 1, "{answers:?}");
}

/// All others are told which message was first.
async fn of_concurrent_repeats_of_a_key_one_is_stored(stage: Stage) {
    let mut tasks = JoinSet::new();
    for handle in handles(&stage, 8).await {
        let queue = stage.queue.clone();
        let new = message("a").dedup("k", 60);
        tasks.spawn(async move { handle.queues.enqueue(&queue, &[new]).await });
    }
    let answers = all(tasks).await;
    let first = stage.take_one().await.message.id;
    one_stored(answers, |answer| answer == Enqueued::Duplicate { first });
    stage.nothing().await;
}

/// However many say what became of a delivery, it ended once.
async fn of_concurrent_settlements_of_a_receipt_one_counts(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    let handles = handles(&stage, 8).await;
    let stage = std::sync::Arc::new(stage);
    let mut tasks = JoinSet::new();
    for handle in handles {
        let (stage, receipt) = (stage.clone(), taken.receipt.clone());
        tasks.spawn(async move {
            let fate = crate::settling::retry_in(0);
            stage.settle_at(&handle, &receipt, fate).await
        });
    }
    let outcomes = all(tasks).await;
    let applied = outcomes.iter().filter(|one| **one == Settled::Applied);
    // Where staleness is found out by a read, several may be told so; one has an effect.
    let most = match stage.store.queues.limits().settle_fence {
        SettleFence::Read => outcomes.len(),
        _ => 1,
    };
    assert!((1..=most).contains(&applied.count()), "{outcomes:?}");
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    let found = stage.found(taken.message.id).await;
    assert_eq!(found.history.records().len(), 1);
}

/// Receivers that race for three groups get one member of each at a time, in order.
async fn concurrent_receivers_never_hold_two_of_a_group(stage: Stage) {
    let batch: Vec<_> = (0..30_u8)
        .map(|n| message([n / 3]).group(["a", "b", "c"][usize::from(n % 3)]))
        .collect();
    stage.put(&batch).await;
    let handles = handles(&stage, 6).await;
    for round in 0..10_u8 {
        let mut tasks = JoinSet::new();
        for handle in &handles {
            let (handle, queue) = (handle.clone(), stage.queue.clone());
            let request = longshore_core::Receive {
                batch_max: crate::stage::count(5),
                lease: LEASE,
                wait_max: std::time::Duration::ZERO,
            };
            tasks.spawn(async move { handle.queues.receive(&queue, request).await });
        }
        let taken: Vec<_> = all(tasks)
            .await
            .into_iter()
            .flat_map(|received| received.expect("receive").deliveries)
            .collect();
        let groups: HashSet<_> = taken.iter().map(|one| one.message.group.clone()).collect();
        assert_eq!((taken.len(), groups.len()), (3, 3), "round {round}");
        for one in &taken {
            assert_eq!(one.message.body.as_ref(), [round]);
            stage.ack(one).await;
        }
    }
}

/// The limit is tested in the step that stores.
async fn concurrent_producers_do_not_pass_the_depth_limit(stage: Stage) {
    stage
        .configure(SettingsChange {
            depth_max: Some(10),
            ..SettingsChange::default()
        })
        .await;
    let mut tasks = JoinSet::new();
    for handle in handles(&stage, 8).await {
        let queue = stage.queue.clone();
        let batch = [message("a"), message("b"), message("c")];
        tasks.spawn(async move { handle.queues.enqueue(&queue, &batch).await });
    }
    let answers = all(tasks).await;
    let stored = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(stage.counts().await, [stored as u64 * 3, 0, 0, 0]);
    if stage.store.queues.limits().depth == longshore_core::DepthBound::Exact {
        assert_eq!(stored, 3);
    }
}

/// Of many that want it one gets it.
async fn concurrent_takers_of_a_lease_find_one_holder(stage: Stage) {
    let mut tasks = JoinSet::new();
    for (number, handle) in handles(&stage, 8).await.into_iter().enumerate() {
        tasks.spawn(async move {
            let holder = format!("h{number}");
            crate::cases::coordination::leases::acquire(&handle, &holder).await
        });
    }
    let held: Vec<_> = all(tasks).await.into_iter().flatten().collect();
    assert_eq!(held.len(), 1, "{held:?}");
}

/// Two operators that press the same button make one message of one.
async fn concurrent_redrives_bring_back_one_message(stage: Stage) {
    stage.put(&[message("a")]).await;
    let taken = stage.take_one().await;
    stage.bury(&taken).await;
    let mut tasks = JoinSet::new();
    for handle in handles(&stage, 6).await {
        let (queue, id) = (stage.queue.clone(), taken.message.id);
        tasks.spawn(async move { handle.admin.redrive(&queue, &[id]).await });
    }
    let answers = all(tasks).await;
    let applied = answers
        .iter()
        .filter(|answer| matches!(answer.as_deref(), Ok([longshore_core::Changed::Applied])));
    assert_eq!(applied.count(), 1, "{answers:?}");
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
    let again = stage.take_one().await;
    stage.end(&again, Disposition::Ack).await;
}
