//! The control plane.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::{check_adopted, check_change, check_count};
use longshore_core::{
    Adopted, Changed, Configured, Cursor, Deleted, Due, Finding, Found, MessageId, MessageState,
    MovingMark, Page, Pause, Purged, QueueAdmin, QueueName, QueueSettings, QueueStats, QueueStore,
    Result, SettingsChange, StoredMessage, Timestamp, WorkerInfo,
};

use crate::pages::{all_place, dead_place, live_place};
use crate::schema::{Data, Queue};
use crate::store::MemoryStore;

impl MemoryStore {
    /// Looks at a queue as it is now; a queue that does not exist looks empty.
    fn look<T>(&self, name: &QueueName, look: impl FnOnce(&Queue, Timestamp) -> T) -> T {
        let (mut data, now) = self.lock();
        match data.queues.get_mut(name) {
            Some(queue) => {
                queue.tick(now);
                look(queue, now)
            }
            None => look(&Queue::default(), now),
        }
    }

    /// Changes a queue, which exists from then on.
    fn change<T>(&self, name: &QueueName, change: impl FnOnce(&mut Queue, Timestamp) -> T) -> T {
        let answer = {
            let (mut data, now) = self.lock();
            let queue = data.queues.entry(name.clone()).or_default();
            queue.tick(now);
            change(queue, now)
        };
        self.ring();
        answer
    }

    /// Changes single messages of a queue that may not exist. Each change gets a fresh number.
    fn change_each(
        &self,
        call: &'static str,
        name: &QueueName,
        ids: &[MessageId],
        change: impl Fn(&mut Queue, MessageId, Timestamp, u64) -> Changed,
    ) -> Result<Vec<Changed>> {
        check_count(call, ids.len(), &self.limits())?;
        let answers = {
            let (mut data, now) = self.lock();
            let Data {
                queues, numbers, ..
            } = &mut *data;
            let Some(queue) = queues.get_mut(name) else {
                return Ok(vec![Changed::NotFound; ids.len()]);
            };
            queue.tick(now);
            ids.iter()
                .map(|id| change(queue, *id, now, numbers.next()))
                .collect()
        };
        self.ring();
        Ok(answers)
    }
}

#[async_trait]
impl QueueAdmin for MemoryStore {
    async fn queues(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<QueueName>> {
        let (data, _) = self.lock();
        data.page_queues(after, max)
    }

    async fn stats(&self, queue: &QueueName) -> Result<Option<QueueStats>> {
        let (mut data, now) = self.lock();
        Ok(data.queues.get_mut(queue).map(|queue| {
            queue.tick(now);
            queue.stats(now)
        }))
    }

    async fn configure(&self, queue: &QueueName, change: &SettingsChange) -> Result<Configured> {
        check_change("configure", change, &self.limits())?;
        Ok(self.change(queue, |queue, _| {
            let overridden = queue.settings.apply(change);
            Configured::new(queue.settings.clone(), overridden)
        }))
    }

    async fn settings(&self, queue: &QueueName) -> Result<QueueSettings> {
        Ok(self.look(queue, |queue, _| queue.settings.clone()))
    }

    async fn peek(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let after = after.map(|at| live_place(at, "p", "peek")).transpose()?;
        Ok(self.look(queue, |queue, now| queue.page_live(after, max, now)))
    }

    async fn find(&self, queue: &QueueName, id: MessageId) -> Result<Found> {
        Ok(self.look(queue, |queue, now| {
            if let Some(row) = queue.live.get(&id) {
                return Found::Message(Box::new(row.view(row.state.shown(now))));
            }
            let place = queue.dead_places.get(&id);
            let dead = place.and_then(|place| queue.dead.get(place));
            dead.map_or(Found::NotFound, |dead| {
                let state = MessageState::Dead(dead.mark.clone());
                Found::Message(Box::new(dead.row.view(state)))
            })
        }))
    }

    async fn cancel(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change_each("cancel", queue, ids, |queue, id, now, _| {
            queue.cancel(id, now)
        })
    }

    async fn reschedule(
        &self,
        queue: &QueueName,
        ids: &[MessageId],
        due: Due,
    ) -> Result<Vec<Changed>> {
        self.change_each("reschedule", queue, ids, |queue, id, now, _| {
            queue.reschedule(id, due, now)
        })
    }

    async fn purge(&self, queue: &QueueName, batch_max: NonZeroU32) -> Result<Purged> {
        let purged = {
            let (mut data, now) = self.lock();
            data.queues.get_mut(queue).map(|queue| {
                queue.tick(now);
                queue.purge(batch_max, now)
            })
        };
        self.ring();
        Ok(purged.unwrap_or(Purged {
            removed: 0,
            more: false,
        }))
    }

    async fn pause(&self, queue: &QueueName, pause: &Pause) -> Result<()> {
        self.change(queue, |queue, now| {
            queue.pause = Some(Pause {
                since: now,
                ..pause.clone()
            });
        });
        Ok(())
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool> {
        let was_paused = {
            let (mut data, _) = self.lock();
            let queue = data.queues.get_mut(queue);
            queue.is_some_and(|queue| queue.pause.take().is_some())
        };
        self.ring();
        Ok(was_paused)
    }

    async fn mark_moving(&self, queue: &QueueName, mark: Option<&MovingMark>) -> Result<()> {
        if let Some(mark) = mark {
            self.change(queue, |queue, now| {
                queue.moving = Some(MovingMark {
                    since: now,
                    ..mark.clone()
                });
            });
            return Ok(());
        }
        if let Some(queue) = self.lock().0.queues.get_mut(queue) {
            queue.moving = None;
        }
        self.ring();
        Ok(())
    }

    async fn delete(&self, queue: &QueueName) -> Result<Deleted> {
        let (mut data, _) = self.lock();
        let Some(there) = data.queues.get(queue) else {
            return Ok(Deleted::NotFound);
        };
        if !there.live.is_empty() || !there.dead.is_empty() {
            return Ok(Deleted::NotEmpty);
        }
        data.queues.remove(queue);
        Ok(Deleted::Done)
    }

    async fn dead_letters(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let after = after.map(|at| dead_place(at, "d", "dead_letters"));
        let after = after.transpose()?;
        Ok(self.look(queue, |queue, _| queue.page_dead(after, max)))
    }

    async fn redrive(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change_each("redrive", queue, ids, |queue, id, now, number| {
            queue.redrive(id, now, number)
        })
    }

    async fn discard(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change_each("discard", queue, ids, |queue, id, _, _| queue.discard(id))
    }

    async fn export(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let after = after.map(all_place).transpose()?;
        Ok(self.look(queue, |queue, now| queue.page_all(after.as_ref(), max, now)))
    }

    async fn adopt(&self, queue: &QueueName, messages: &[StoredMessage]) -> Result<Vec<Adopted>> {
        check_adopted("adopt", messages, &self.limits())?;
        let answers = {
            let (mut data, now) = self.lock();
            messages
                .iter()
                .map(|stored| data.adopt(queue, stored, now))
                .collect()
        };
        self.ring();
        Ok(answers)
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>> {
        let (mut data, now) = self.lock();
        Ok(data.list_workers(now))
    }

    async fn check(&self) -> Result<Vec<Finding>> {
        let (mut data, now) = self.lock();
        Ok(data.check(now))
    }

    async fn announce(&self, worker: &WorkerInfo, ttl: Duration) -> Result<()> {
        let (mut data, now) = self.lock();
        data.announce(worker, ttl, now);
        Ok(())
    }
}
