//! Futures that are dropped at any of their await points.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use longshore_core::{Backend, Disposition, Enqueued, FreshIdRepeat, Receive, Settled, Settlement};

use crate::Stage;
use crate::case::cases;
use crate::draft::{given, message, messages};
use crate::stage::{LEASE, bodies, count};

cases! { "cancellation";
    1 a_dropped_enqueue_stores_each_message_wholly_or_not,
    4 a_call_that_is_repeated_brings_back_nothing_that_was_done,
    1 a_dropped_receive_loses_no_message,
    1 a_dropped_settle_counts_wholly_or_not,
    1 a_receive_dropped_while_it_waits_takes_nothing,
}

/// How often a future is polled before it is dropped.
const POLLS: [usize; 5] = [0, 1, 2, 3, 8];

/// Polls a future so many times, then drops it wherever it is. Answers whether it had ended.
async fn drop_after<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        if future.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// Waits until the store is through with what was dropped: writes are answered in order.
async fn settled_down(stage: &Stage) {
    stage.resume().await;
}

/// The producer enqueues again with the same ids, and all is there once.
async fn a_dropped_enqueue_stores_each_message_wholly_or_not(stage: Stage) {
    for polls in POLLS {
        let batch = [given("a"), given("b"), given("c")];
        drop_after(polls, stage.try_enqueue(&batch)).await;
        for (outcome, new) in stage.enqueue(&batch).await.iter().zip(&batch) {
            let first = new.id;
            let repeat = Enqueued::Duplicate { first };
            assert!([Enqueued::Stored, repeat].contains(outcome), "{outcome:?}");
        }
        let taken = stage.take(9).await;
        // Two calls stored them: where partitions have no order among them, so they come.
        let mut all = bodies(&taken);
        all.sort();
        assert_eq!(all, ["a", "b", "c"], "dropped after {polls}");
        for one in &taken {
            stage.ack(one).await;
        }
    }
}

/// A producer that had no answer calls again, while another process did what the first call stored.
async fn a_call_that_is_repeated_brings_back_nothing_that_was_done(stage: Stage) {
    let limits = stage.store.queues.limits();
    if limits.fresh_id_repeat != FreshIdRepeat::SameCall {
        return;
    }
    let consumer = stage.subject.reopen().await;
    for polls in POLLS {
        let batch = messages(["a", "b", "c"]);
        let had_answer = drop_after(polls, stage.try_enqueue(&batch)).await;
        settled_down(&stage).await;
        let mut all = done_at(&consumer, &stage).await;
        if had_answer {
            // Who calls again with an answer in hand is not protected after the ack.
            continue;
        }
        stage.enqueue(&batch).await;
        all.extend(done_at(&consumer, &stage).await);
        all.sort();
        assert_eq!(all, ["a", "b", "c"], "dropped after {polls}");
    }
}

/// The bodies of what another handle gets and acks now.
async fn done_at(consumer: &Backend, stage: &Stage) -> Vec<String> {
    let taken = stage.take_at(consumer, 9).await;
    for one in &taken {
        let settled = stage.settle_at(consumer, &one.receipt, Disposition::Ack);
        assert_eq!(settled.await, Settled::Applied);
    }
    bodies(&taken)
}

/// What it leased to nobody comes back when the lease ends.
async fn a_dropped_receive_loses_no_message(stage: Stage) {
    stage.put(&messages(["a", "b", "c"])).await;
    let request = Receive {
        batch_max: count(2),
        lease: LEASE,
        wait_max: std::time::Duration::ZERO,
    };
    for polls in POLLS {
        let receive = stage.store.queues.receive(&stage.queue, request);
        drop_after(polls, receive).await;
        settled_down(&stage).await;
        stage.advance(LEASE);
        let taken = stage.take(9).await;
        let mut all = bodies(&taken);
        all.sort();
        assert_eq!(all, ["a", "b", "c"], "dropped after {polls}");
        for one in &taken {
            stage.release(one).await;
        }
    }
}

/// Each message is done, or it comes back.
async fn a_dropped_settle_counts_wholly_or_not(stage: Stage) {
    for polls in POLLS {
        stage.put(&[message("a"), message("b")]).await;
        let taken = stage.take(2).await;
        let items: Vec<_> = taken
            .iter()
            .map(|one| Settlement {
                receipt: one.receipt.clone(),
                disposition: Disposition::Ack,
            })
            .collect();
        let settle = stage.store.queues.settle(&stage.queue, &items);
        drop_after(polls, settle).await;
        settled_down(&stage).await;
        let left = stage.stats().await.leased;
        stage.advance(LEASE);
        let again = stage.take(9).await;
        assert!(again.len() as u64 <= left, "acked messages came back");
        for one in &again {
            assert_eq!(one.attempt, 2);
            stage.ack(one).await;
        }
        assert_eq!(stage.counts().await, [0, 0, 0, 0]);
    }
}

/// Who stopped waiting gets nothing that others then miss.
async fn a_receive_dropped_while_it_waits_takes_nothing(stage: Stage) {
    let request = Receive {
        batch_max: count(1),
        lease: LEASE,
        wait_max: std::time::Duration::from_secs(50),
    };
    for polls in POLLS {
        let receive = stage.store.queues.receive(&stage.queue, request);
        drop_after(polls, receive).await;
    }
    stage.put(&[message("a")]).await;
    assert_eq!(stage.take_one().await.attempt, 1);
}
