//! The task behind an open store that looks after the buckets of its shards, evenly over time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use longshore_core::Result;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::shard::Shard;
use crate::store::Inner;
use crate::tasks::supervise::supervise;

/// How often all shards have their turn.
const EVERY: Duration = Duration::from_secs(1);

/// Between two pages, where there is little to do: the servers have other things to do.
const PAUSE_MAX: Duration = Duration::from_millis(50);
/// The same where there is much.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// A shard of a queue.
type Key = (Uuid, i32);

/// Starts the task. It ends with the store.
pub(crate) fn start(inner: &Arc<Inner>) {
    let inner = Arc::downgrade(inner);
    supervise("looks after buckets", move || work(inner.clone()));
}

async fn work(inner: Weak<Inner>) {
    let mut pause = PAUSE_MAX;
    let mut next = Instant::now() + EVERY;
    loop {
        sleep_until(next).await;
        next = Instant::now() + EVERY;
        match keep(&inner, pause, next).await {
            Some(all_done) => pause = pace(pause, all_done),
            None => return,
        }
    }
}

/// The next pause between two pages, by whether all of them were looked at with this one.
fn pace(pause: Duration, all_done: bool) -> Duration {
    let next = if all_done { pause * 5 / 4 } else { pause / 2 };
    next.clamp(PAUSE_MIN, PAUSE_MAX)
}

/// Closes, scans and deletes buckets of the shards that are in memory. Answers whether all was
/// done that there was to do, or nothing once the store is gone.
async fn keep(inner: &Weak<Inner>, pause: Duration, end: Instant) -> Option<bool> {
    let mut shards = Vec::new();
    for stripe in inner.upgrade()?.owner.held_now() {
        let held = stripe.held.read().await;
        shards.extend(held.slots().into_iter().map(|(key, _)| key));
    }
    for shard in &shards {
        let inner = inner.upgrade()?;
        note(maintain(&inner, *shard).await);
    }
    // A page of each in turns, so that none has to wait for the large buckets of another.
    while !shards.is_empty() {
        let mut left = Vec::new();
        for shard in shards {
            if Instant::now() >= end {
                return Some(false);
            }
            let goes_on = look_at_page(&*inner.upgrade()?, shard).await;
            if note(goes_on) == Some(true) {
                left.push(shard);
                sleep(pause).await;
            }
        }
        shards = left;
    }
    Some(true)
}

/// What one shard cannot do now holds no other one up; it has its turn again.
fn note<T>(done: Result<T>) -> Option<T> {
    done.inspect_err(|error| tracing::debug!(%error, "looking after buckets failed"))
        .ok()
}

/// Does what is done at once.
async fn maintain(inner: &Inner, (queue, number): Key) -> Result<()> {
    if let Some(mut opened) = inner.owner.open_own(queue, number).await?
        && let Some(shard) = opened.shard.as_mut()
    {
        shard.maintain(&inner.producer, inner.now()).await?;
        tell_ready(inner, shard);
    }
    Ok(())
}

/// Looks at one page of a bucket, while others work at its shard. Answers whether there was one.
async fn look_at_page(inner: &Inner, (queue, number): Key) -> Result<bool> {
    let open = || inner.owner.open_own(queue, number);
    let scan = match open().await? {
        Some(mut opened) => match opened.shard.as_mut() {
            Some(shard) => shard.next_scan(inner.now()).await?,
            None => None,
        },
        None => None,
    };
    let Some(scan) = scan else {
        return Ok(false);
    };
    let looked = scan.look(&*inner.owner.storage).await?;
    if let Some(mut opened) = open().await?
        && let Some(shard) = opened.shard.as_mut()
    {
        shard.apply_scan(scan, looked, inner.now()).await?;
        tell_ready(inner, shard);
    }
    Ok(true)
}

fn tell_ready(inner: &Inner, shard: &mut Shard) {
    if shard.index.is_ready_at(inner.now()) {
        inner.owner.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_faster_while_there_are_more_than_were_looked_at() {
        let mut pause = PAUSE_MAX;
        for _ in 0..10 {
            pause = pace(pause, false);
        }
        assert_eq!(pause, PAUSE_MIN);
        for _ in 0..30 {
            let next = pace(pause, true);
            assert!(next > pause || next == PAUSE_MAX);
            pause = next;
        }
        assert_eq!(pause, PAUSE_MAX);
    }
}
