//! Pause, the mark of a move, and the numbers of a queue.

use longshore_core::{
    Deleted, MovingMark, Pause, QueueName, QueueStats, Result, StoreError, StoreErrorKind,
    Timestamp,
};
use redis::cmd;
use serde_json::Error as JsonError;

use crate::connection::reply::Reply;
use crate::layout::row::Row;
use crate::scripts;
use crate::store::{RedisStore, observe_time};

impl RedisStore {
    pub(crate) async fn set_pause(&self, queue: &QueueName, pause: Option<&Pause>) -> Result<bool> {
        let text = pause.map(|pause| {
            let mut pause = pause.clone();
            pause.since = self.time.now();
            serde_json::to_string(&pause).unwrap_or_default()
        });
        self.control(queue, "pause", text).await
    }

    pub(crate) async fn set_moving(
        &self,
        queue: &QueueName,
        mark: Option<&MovingMark>,
    ) -> Result<bool> {
        let text = mark.map(|mark| {
            let mut mark = mark.clone();
            mark.since = self.time.now();
            serde_json::to_string(&mark).unwrap_or_default()
        });
        self.control(queue, "moving", text).await
    }

    /// Sets or lifts a flag in every partition. Answers whether it was set before.
    async fn control(&self, queue: &QueueName, what: &str, text: Option<String>) -> Result<bool> {
        let sets = text.is_some();
        if sets {
            self.settings_of(queue).await?;
            self.register(queue, false).await?;
        }
        let mut had = false;
        for partition in 0..self.partitions {
            let mut call = self.call("pause", &scripts::CONTROL, queue, partition);
            call.arg(queue.as_str())
                .arg(what)
                .arg(text.as_deref().unwrap_or_default())
                .arg(i32::from(sets));
            had |= self.session.run(&call).await?.number()? == 1;
        }
        Ok(had)
    }

    /// Forgets a queue in which nothing is. What a process stores meanwhile makes it exist again:
    /// the partition that it comes to has forgotten the queue, and says so.
    pub(crate) async fn delete_empty(&self, queue: &QueueName) -> Result<Deleted> {
        let Some(stats) = self.stats_of(queue).await? else {
            return Ok(Deleted::NotFound);
        };
        if stats.live() + stats.dead > 0 {
            return Ok(Deleted::NotEmpty);
        }
        for partition in 0..self.partitions {
            let call = self.call("delete", &scripts::DELETE, queue, partition);
            if self.session.run(&call).await?.number()? == 0 {
                self.register(queue, true).await?;
                return Ok(Deleted::NotEmpty);
            }
        }
        let mut settings = cmd("UNLINK");
        settings.arg(self.keys.settings(queue));
        self.session.command("delete", &settings).await?;
        let mut name = cmd("ZREM");
        name.arg(self.keys.queues()).arg(queue.as_str());
        self.session.command("delete", &name).await?;
        self.queue_cache.forget(queue);
        // The process that registered it between the two finds it listed again.
        if self.stats_of(queue).await?.is_some() {
            self.register(queue, true).await?;
            return Ok(Deleted::NotEmpty);
        }
        Ok(Deleted::Done)
    }

    pub(crate) async fn stats_of(&self, queue: &QueueName) -> Result<Option<QueueStats>> {
        let mut exists = self.exists(queue).await?;
        let mut stats = QueueStats::default();
        for partition in 0..self.partitions {
            let call = self.call("stats", &scripts::STATS, queue, partition);
            let fields = self.session.run(&call).await?.fixed::<14>()?;
            exists |= self
                .add_partition(queue, partition, &mut stats, fields)
                .await?;
        }
        if !exists {
            return Ok(None);
        }
        stats.settings = self.settings_of(queue).await?;
        stats.exact = true;
        Ok(Some(stats))
    }

    async fn add_partition(
        &self,
        queue: &QueueName,
        partition: u16,
        stats: &mut QueueStats,
        fields: [Reply; 14],
    ) -> Result<bool> {
        let [
            now,
            exists,
            streams,
            leased,
            delayed,
            backlog,
            dead,
            parked,
            newer,
            pause,
            moving,
            first,
            due,
            head,
        ] = fields;
        let now = Timestamp::from_millis(observe_time(self, now)?);
        let (leased, newer, due) = (leased.count()?, newer.count()?, due.count()?);
        stats.waiting += streams.count()?.saturating_sub(leased) + backlog.count()? + newer + due;
        stats.leased += leased;
        stats.delayed += delayed.count()?.saturating_sub(newer + due);
        stats.dead += dead.count()?;
        stats.parked += parked.count()?;
        stats.set_aside += newer;
        stats.paused = stats.paused.take().or(read_json(queue, &pause.text()?)?);
        stats.moving = stats.moving.take().or(read_json(queue, &moving.text()?)?);
        let head = head.optional_number()?.map(Timestamp::from_millis);
        stats.oldest_age = stats.oldest_age.max(head.map(|head| now.since(head)));
        let mut rows = Vec::new();
        for entry in first.list()? {
            let [_, fields] = entry.fixed()?;
            rows.push(Row::of_fields(fields)?);
        }
        self.fill_bodies("stats", queue, partition, rows.iter_mut())
            .await?;
        for row in rows {
            let due = row.meta.due.map(Timestamp::from_millis);
            let due = due.or_else(|| row.decode().ok().map(|message| message.due_at));
            let age = due.map(|due| now.since(due));
            stats.oldest_age = stats.oldest_age.max(age);
        }
        Ok(exists.number()? == 1)
    }
}

fn read_json<T: serde::de::DeserializeOwned>(queue: &QueueName, text: &str) -> Result<Option<T>> {
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(text)
        .map(Some)
        .map_err(|error: JsonError| {
            StoreError::new(
                StoreErrorKind::Corrupt,
                "stats",
                "the pause of the queue cannot be read; resume it",
            )
            .with("queue", queue)
            .caused_by(error)
        })
}
