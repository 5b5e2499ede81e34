//! Reading on beside the work.

use longshore_core::{Disposition, MessageId};
use uuid::Uuid;

use super::backlog::{Backlog, WINDOW, numbers};
use crate::shard::Shard;
use crate::shard::load::prefetch::Prefetched;

const MANY: usize = 5000;

/// What is read next.
async fn read(backlog: &Backlog, shard: &mut Shard) -> Option<Prefetched> {
    let ahead = shard.ahead(backlog.now)?;
    assert!(shard.ahead(backlog.now).is_none(), "two at a time");
    Some(ahead.read(&*backlog.storage).await.expect("read"))
}

#[tokio::test]
async fn a_backlog_that_is_read_beside_the_work_is_handed_out_in_order() {
    let mut backlog = Backlog::new();
    backlog.store(1, MANY, None).await;
    let mut shard = backlog.take_over().await;
    let (mut all, mut beside) = (Vec::new(), 0);
    while all.len() < MANY {
        let next = read(&backlog, &mut shard).await;
        let taken = backlog.receive(&mut shard, 20).await;
        assert!(!taken.is_empty(), "stuck after {} messages", all.len());
        all.extend(numbers(&taken));
        backlog.end(&mut shard, &taken, &Disposition::Ack).await;
        if let Some(next) = next {
            let added = shard.ingest_prefetched(next, backlog.now).await;
            beside += usize::from(added.expect("taken"));
        }
    }
    assert!(all.into_iter().eq(1..=MANY as u128), "out of order");
    assert!(beside >= MANY / WINDOW.ready, "{beside} times");
}

#[tokio::test]
async fn what_was_read_beside_a_change_is_read_again() {
    let mut backlog = Backlog::new();
    backlog.store(1, MANY, None).await;
    let mut shard = backlog.take_over().await;
    // The first one behind what is in memory.
    let number = shard.index.entries.len() as u128 + 1;
    let mut all = numbers(&backlog.receive(&mut shard, 50).await);
    let next = read(&backlog, &mut shard).await.expect("there is more");
    let removed = [Uuid::from_u128(number)];
    let found = shard.reach(&removed, backlog.now).await;
    assert!(found.expect("looked for"));
    let ids = removed.map(MessageId::from_uuid);
    let cancelled = shard.cancel(&ids, backlog.now).await;
    cancelled.expect("cancelled");
    let added = shard.ingest_prefetched(next, backlog.now).await;
    assert!(!added.expect("looked at"));
    while all.len() < MANY - 1 {
        if let Some(next) = read(&backlog, &mut shard).await {
            shard
                .ingest_prefetched(next, backlog.now)
                .await
                .expect("taken");
        }
        let taken = backlog.receive(&mut shard, 70).await;
        assert!(!taken.is_empty(), "stuck after {} messages", all.len());
        all.extend(numbers(&taken));
        backlog.end(&mut shard, &taken, &Disposition::Ack).await;
    }
    assert!(
        all.into_iter()
            .eq((1..=MANY as u128).filter(|it| *it != number))
    );
}

#[tokio::test]
async fn the_end_of_an_open_bucket_is_read_under_the_lock() {
    let mut backlog = Backlog::new();
    backlog.store(1, WINDOW.ready, None).await;
    let mut shard = backlog.take_over().await;
    let mut all = numbers(&backlog.receive(&mut shard, 50).await);
    let next = read(&backlog, &mut shard).await.expect("there is more");
    // Stored behind what was read, before that is added.
    backlog.store(1, 1, None).await;
    assert!(
        shard
            .ingest_prefetched(next, backlog.now)
            .await
            .expect("taken")
    );
    assert!(read(&backlog, &mut shard).await.is_none());
    loop {
        let taken = backlog.receive(&mut shard, 70).await;
        if taken.is_empty() {
            break;
        }
        all.extend(numbers(&taken));
    }
    assert!(all.into_iter().eq(1..=WINDOW.ready as u128 + 1));
}
