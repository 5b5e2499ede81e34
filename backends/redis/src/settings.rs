//! What is kept of a queue as a whole: that it exists, its settings, its number of partitions.

pub(crate) mod queue_cache;

use longshore_core::{
    Configured, QueueName, QueueSettings, Result, SettingsChange, StoreError, StoreErrorKind,
};
use redis::cmd;

use crate::connection::call::Call;
use crate::scripts;
use crate::store::RedisStore;

impl RedisStore {
    /// The settings of a queue, at most a second old.
    pub(crate) async fn settings_of(&self, queue: &QueueName) -> Result<QueueSettings> {
        if self.time.clock().is_none()
            && let Some(settings) = self.queue_cache.fresh_settings(queue)
        {
            return Ok(settings);
        }
        let (settings, _) = self.read_settings(queue).await?;
        self.queue_cache.keep(queue, settings.clone());
        Ok(settings)
    }

    async fn read_settings(&self, queue: &QueueName) -> Result<(QueueSettings, String)> {
        let mut ask = cmd("HMGET");
        ask.arg(self.keys.settings(queue))
            .arg("settings")
            .arg("partitions");
        let [settings, partitions] = self.session.command("settings", &ask).await?.fixed()?;
        if let Some(partitions) = partitions.optional_number()? {
            self.check_partitions(queue, partitions)?;
        }
        let text = settings.text()?;
        if text.is_empty() {
            return Ok((QueueSettings::default(), text));
        }
        let settings = serde_json::from_str(&text).map_err(|error| {
            StoreError::new(
                StoreErrorKind::Corrupt,
                "settings",
                "the settings of the queue cannot be read; configure it again",
            )
            .with("queue", queue)
            .caused_by(error)
        })?;
        Ok((settings, text))
    }

    fn check_partitions(&self, queue: &QueueName, stored: i64) -> Result<()> {
        if stored == i64::from(self.partitions) {
            return Ok(());
        }
        let said = format!(
            "the queue has {stored} partitions and the URL says {}; use ?partitions={stored}, or \
             follow docs/redis.md to change the number",
            self.partitions
        );
        Err(StoreError::new(StoreErrorKind::Misconfigured, "open", said).with("queue", queue))
    }

    /// Makes the queue exist; once for each handle, and `again` where the server forgot it.
    pub(crate) async fn register(&self, queue: &QueueName, again: bool) -> Result<()> {
        if !again && self.queue_cache.is_registered(queue) {
            return Ok(());
        }
        let settings_key = self.keys.settings(queue);
        let mut number = cmd("HSETNX");
        number
            .arg(&settings_key)
            .arg("partitions")
            .arg(self.partitions);
        if self.session.command("enqueue", &number).await?.number()? == 0 {
            let mut ask = cmd("HGET");
            ask.arg(&settings_key).arg("partitions");
            let stored = self.session.command("enqueue", &ask).await?.number()?;
            self.check_partitions(queue, stored)?;
        }
        let mut add = cmd("ZADD");
        add.arg(self.keys.queues()).arg(0).arg(queue.as_str());
        self.session.command("enqueue", &add).await?;
        self.queue_cache.set_registered(queue);
        Ok(())
    }

    /// Whether the queue exists.
    pub(crate) async fn exists(&self, queue: &QueueName) -> Result<bool> {
        let mut ask = cmd("ZSCORE");
        ask.arg(self.keys.queues()).arg(queue.as_str());
        Ok(!self.session.command("stats", &ask).await?.is_nil())
    }

    /// Changes settings; another writer in between makes it look again.
    pub(crate) async fn change_settings(
        &self,
        queue: &QueueName,
        change: &SettingsChange,
    ) -> Result<Configured> {
        for _ in 0..16 {
            let (mut settings, before) = self.read_settings(queue).await?;
            let overridden = settings.apply(change);
            let text = serde_json::to_string(&settings).unwrap_or_default();
            let keys = vec![self.keys.settings(queue)];
            let mut call = Call::new("configure", &scripts::CONFIGURE, keys);
            call.arg(before).arg(text);
            if self.session.run(&call).await?.number()? == 1 {
                self.queue_cache.keep(queue, settings.clone());
                self.register(queue, true).await?;
                return Ok(Configured::new(settings, overridden));
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Conflict,
            "configure",
            "others keep changing the settings of this queue; try again",
        ))
    }
}
