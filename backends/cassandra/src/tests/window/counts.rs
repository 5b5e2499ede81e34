//! How many messages lie behind what is in memory.

use std::time::Duration;

use longshore_core::Disposition;

use super::backlog::{Backlog, QUEUE};
use crate::shard::Shard;
use crate::shard::buckets::depth::Pages;
use crate::shard::load::window::Window;

/// A look at the numbers by a process that owns nothing: how many wait, and how many ids were read.
async fn looked(backlog: &Backlog, pages: usize) -> (u64, usize) {
    let rows = backlog.storage.clone();
    let window = Window {
        ready: 20,
        held: 80,
        ..Window::LOOK
    };
    let mut shard = Shard::unread(rows, QUEUE, 0, backlog.hybrid.clone(), window);
    shard.look(backlog.now).await.expect("looked");
    let before = backlog.storage.positions_read();
    let estimate = shard.estimate(pages, backlog.now).await.expect("counted");
    let all = shard.index.entries.len() as u64 + estimate.waiting;
    (all, backlog.storage.positions_read() - before)
}

#[tokio::test]
async fn what_was_counted_once_is_not_counted_again() {
    let mut backlog = Backlog::new();
    // Three minutes of a message each ms: no page holds one of them.
    backlog.store(1, 170_000, None).await;
    backlog.wait(Duration::from_secs(120));
    let (first, read) = looked(&backlog, Pages::LOOK).await;
    assert_eq!(first, 170_000);
    assert!(read > 160_000, "{read}");
    let (second, read) = looked(&backlog, Pages::LOOK).await;
    assert_eq!((second, read), (170_000, 0));
    // The next minute goes on while it is counted.
    backlog.store(1, 1_000, None).await;
    assert_eq!(looked(&backlog, Pages::LOOK).await.0, 171_000);
    backlog.store(1, 1_000, None).await;
    let (grown, read) = looked(&backlog, Pages::LOOK).await;
    assert_eq!(grown, 172_000);
    assert!(read <= 2_000, "{read}");
}

#[tokio::test]
async fn few_pages_are_an_estimate_that_gets_better() {
    let mut backlog = Backlog::new();
    backlog.store(1, 400_000, None).await;
    backlog.wait(Duration::from_secs(120));
    let mut seen = Vec::new();
    for _ in 0..20 {
        seen.push(looked(&backlog, Pages::SHORT).await.0);
    }
    assert!(seen[0] < 400_000, "{seen:?}");
    assert_eq!(seen.last(), Some(&400_000), "{seen:?}");
}

/// While it is drained, by its owner and by the process that looks, also once the owner is gone.
#[tokio::test]
async fn counts_go_down_with_what_is_done() {
    let mut backlog = Backlog::new();
    backlog.store(1, 30_000, None).await;
    let mut shard = backlog.take_over().await;
    let mut left = 30_000;
    for round in 0..150 {
        let taken = backlog.receive(&mut shard, 100).await;
        left -= taken.len() as u64;
        backlog.end(&mut shard, &taken, &Disposition::Ack).await;
        backlog.wait(Duration::from_secs(1));
        backlog.maintain(&mut shard).await;
        let estimate = shard.estimate_own(backlog.now).await.expect("counted");
        let seen = shard.index.entries.len() as u64 + estimate.waiting;
        if round > 1 {
            assert_eq!(seen, left, "round {round}");
        }
    }
    assert_eq!(left, 15_000);
    shard.note_watermark(backlog.now).await.expect("noted");
    let (seen, read) = looked(&backlog, Pages::LOOK).await;
    assert_eq!(seen, left);
    // One page, for what its owner had in memory.
    assert!(read <= 5_000, "{read}");
}
