//! Slots: the right to run a job.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Some slots of the worker together with as many of one queue.
#[derive(Debug)]
pub(crate) struct Slots {
    of_worker: OwnedSemaphorePermit,
    of_queue: OwnedSemaphorePermit,
}

impl Slots {
    /// Waits for one free slot, then takes what else is free, up to `at_most`.
    pub(crate) async fn acquire(
        worker: &Arc<Semaphore>,
        queue: &Arc<Semaphore>,
        at_most: usize,
    ) -> Option<Self> {
        // The queue's own first: a task that waits for it must not sit on a slot of the worker.
        let of_queue = queue.clone().acquire_owned().await.ok()?;
        let of_worker = worker.clone().acquire_owned().await.ok()?;
        let mut slots = Self {
            of_worker,
            of_queue,
        };
        slots.grow(worker, queue, at_most);
        Some(slots)
    }

    /// Takes what is free now, up to `at_most` in all.
    pub(crate) fn grow(&mut self, worker: &Arc<Semaphore>, queue: &Arc<Semaphore>, at_most: usize) {
        let free = queue.available_permits().min(worker.available_permits());
        let mut more = free.min(at_most.saturating_sub(self.count()));
        // Another queue may take slots of the worker in between: then fewer.
        while more > 0 {
            let wanted = u32::try_from(more).unwrap_or(u32::MAX);
            let of_queue = queue.clone().try_acquire_many_owned(wanted);
            let of_worker = worker.clone().try_acquire_many_owned(wanted);
            if let (Ok(of_queue), Ok(of_worker)) = (of_queue, of_worker) {
                self.of_queue.merge(of_queue);
                self.of_worker.merge(of_worker);
                return;
            }
            more /= 2;
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.of_queue.num_permits()
    }

    /// Splits one off.
    pub(crate) fn take_one(&mut self) -> Option<Self> {
        Some(Self {
            of_worker: self.of_worker.split(1)?,
            of_queue: self.of_queue.split(1)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_takes_what_both_have_and_gives_it_back() {
        let (worker, queue) = (Arc::new(Semaphore::new(4)), Arc::new(Semaphore::new(3)));
        let mut slots = Slots::acquire(&worker, &queue, 10).await.unwrap();
        assert_eq!((slots.count(), worker.available_permits()), (3, 1));
        let one = slots.take_one().unwrap();
        drop(slots);
        assert_eq!(
            (worker.available_permits(), queue.available_permits()),
            (3, 2)
        );
        drop(one);
        assert_eq!(
            (worker.available_permits(), queue.available_permits()),
            (4, 3)
        );
    }
}
