//! The raw floor of memory: a queue and a table of what is claimed, behind one mutex.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::{Floor, FloorReport, FloorSpec, Result, StoreError, StoreErrorKind, StoreUrl};

use crate::config::Config;

/// What a store in memory cannot be faster than.
#[derive(Debug)]
pub(crate) struct MemoryFloor;

/// The floor of a `memory://` URL.
pub(crate) fn floor(url: &StoreUrl) -> Result<Arc<dyn Floor>> {
    Config::from_url(url)?;
    Ok(Arc::new(MemoryFloor))
}

#[async_trait]
impl Floor for MemoryFloor {
    async fn measure(&self, spec: FloorSpec) -> Result<FloorReport> {
        let measured = tokio::task::spawn_blocking(move || run(spec)).await;
        measured.map_err(|_| {
            let message = "a thread of the raw floor panicked";
            StoreError::new(StoreErrorKind::Unexpected, "bench", message)
        })
    }
}

#[derive(Default)]
struct Raw {
    waiting: VecDeque<(u64, Bytes)>,
    claimed: HashMap<u64, Bytes>,
}

fn run(spec: FloorSpec) -> FloorReport {
    let raw = Mutex::new(Raw::default());
    let enqueue = timed(spec.workers, |worker| {
        insert(&raw, spec, share(spec, worker), share(spec, worker + 1));
    });
    let receive_settle = timed(spec.workers, |_| while claim_and_delete(&raw, spec) {});
    FloorReport {
        enqueue,
        receive_settle,
    }
}

/// How long all workers together take.
fn timed(workers: NonZeroU32, work: impl Fn(u64) + Sync) -> Duration {
    let (start, work) = (Instant::now(), &work);
    std::thread::scope(|scope| {
        for worker in 0..workers.get() {
            scope.spawn(move || work(u64::from(worker)));
        }
    });
    start.elapsed()
}

/// The first message of a worker's share.
fn share(spec: FloorSpec, worker: u64) -> u64 {
    spec.messages * worker / u64::from(spec.workers.get())
}

fn insert(raw: &Mutex<Raw>, spec: FloorSpec, from: u64, to: u64) {
    let mut next = from;
    while next < to {
        let end = to.min(next + u64::from(spec.enqueue_batch.get()));
        let made = (next..end).map(|id| (id, Bytes::from(vec![b'x'; spec.body_bytes])));
        let batch: Vec<_> = made.collect();
        lock(raw).waiting.extend(batch);
        next = end;
    }
}

/// Claims a batch and deletes it in a second step, as any queue must; `false` if none is left.
fn claim_and_delete(raw: &Mutex<Raw>, spec: FloorSpec) -> bool {
    let batch: Vec<(u64, Bytes)> = {
        let mut raw = lock(raw);
        let count = raw.waiting.len().min(spec.batch.get() as usize);
        let batch: Vec<_> = raw.waiting.drain(..count).collect();
        raw.claimed.extend(batch.iter().cloned());
        batch
    };
    let mut raw = lock(raw);
    for (id, _) in &batch {
        raw.claimed.remove(id);
    }
    !batch.is_empty()
}

fn lock(raw: &Mutex<Raw>) -> std::sync::MutexGuard<'_, Raw> {
    raw.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_inserted_once_and_claimed_once() {
        let count = |number| NonZeroU32::new(number).unwrap();
        let spec = FloorSpec {
            messages: 101,
            body_bytes: 8,
            enqueue_batch: count(10),
            batch: count(10),
            workers: count(3),
        };
        let raw = Mutex::new(Raw::default());
        for worker in 0..3 {
            insert(&raw, spec, share(spec, worker), share(spec, worker + 1));
        }
        let mut ids: Vec<u64> = lock(&raw).waiting.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        assert!(ids.into_iter().eq(0..101));
        let batches = std::iter::repeat_with(|| claim_and_delete(&raw, spec));
        assert_eq!(batches.take_while(|more| *more).count(), 11);
        assert!(lock(&raw).claimed.is_empty());
    }

    #[tokio::test]
    async fn both_halves_take_time() {
        let url: StoreUrl = "memory://floor-test".parse().unwrap();
        let spec = FloorSpec {
            messages: 1000,
            body_bytes: 256,
            enqueue_batch: NonZeroU32::new(32).unwrap(),
            batch: NonZeroU32::new(32).unwrap(),
            workers: NonZeroU32::new(2).unwrap(),
        };
        let report = floor(&url).unwrap().measure(spec).await.unwrap();
        assert!(report.enqueue > Duration::ZERO);
        assert!(report.receive_settle > Duration::ZERO);
    }
}
