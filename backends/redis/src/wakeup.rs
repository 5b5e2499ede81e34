//! Being woken: one subscription for a whole process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use longshore_core::{QueueName, StepListener};
use tokio::sync::{Notify, OnceCell, watch};

use crate::connection::dialer::Dialer;
use crate::connection::sentinel::any_client;
use crate::sync::locked;

/// The first receive waits at most this long for the subscription; later ones do not.
const SUBSCRIBE_MAX: Duration = Duration::from_millis(500);

/// Rings for the receivers of this process.
pub(crate) struct Wakeups {
    channel: String,
    dialer: Dialer,
    queues: Mutex<HashMap<String, Arc<Notify>>>,
    /// Whether the subscription stands.
    listening: OnceCell<watch::Receiver<bool>>,
}

impl fmt::Debug for Wakeups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakeups")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

impl StepListener for Wakeups {
    fn stepped(&self) {
        self.ring_all();
    }
}

impl Wakeups {
    pub(crate) fn new(dialer: Dialer, channel: String) -> Arc<Self> {
        Arc::new(Self {
            channel,
            dialer,
            queues: Mutex::default(),
            listening: OnceCell::new(),
        })
    }

    /// The channel on which this process is woken.
    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }

    /// What rings when a queue may have something.
    pub(crate) fn of(&self, queue: &QueueName) -> Arc<Notify> {
        let mut queues = locked(&self.queues);
        if let Some(wakeups) = queues.get(queue.as_str()) {
            return wakeups.clone();
        }
        queues.entry(queue.as_str().to_owned()).or_default().clone()
    }

    fn ring(&self, queue: &str) {
        if let Some(wakeups) = locked(&self.queues).get(queue) {
            wakeups.notify_waiters();
        }
    }

    fn ring_all(&self) {
        for wakeups in locked(&self.queues).values() {
            wakeups.notify_waiters();
        }
    }

    /// Whether the subscription stands.
    pub(crate) fn is_listening(&self) -> bool {
        self.listening
            .get()
            .is_some_and(|listening| *listening.borrow())
    }

    /// Subscribes, once. A store that is away does not hold the caller up: sleepers look again
    /// by themselves.
    pub(crate) async fn listen(self: &Arc<Self>) {
        let listening = self
            .listening
            .get_or_init(|| async {
                let (stands, listening) = watch::channel(false);
                tokio::spawn(subscribe(Arc::downgrade(self), stands));
                listening
            })
            .await;
        if *listening.borrow() {
            return;
        }
        let mut listening = listening.clone();
        let stands = listening.wait_for(|stands| *stands);
        let _ = tokio::time::timeout(SUBSCRIBE_MAX, stands).await;
    }
}

/// Keeps the subscription up until the store is dropped.
async fn subscribe(wakeups: Weak<Wakeups>, stands: watch::Sender<bool>) {
    let mut failures = 0_u32;
    while let Some((dialer, channel)) = wakeups
        .upgrade()
        .map(|b| (b.dialer.clone(), b.channel.clone()))
    {
        match follow(&wakeups, &dialer, &channel, &stands).await {
            Ok(()) => failures = 0,
            Err(error) => {
                failures = failures.saturating_add(1);
                tracing::debug!("the wake-up subscription broke: {error}");
            }
        }
        let most = Duration::from_millis(100).saturating_mul(1 << failures.min(6));
        tokio::time::sleep(most.mul_f64(fastrand::f64().max(0.1))).await;
    }
}

async fn follow(
    wakeups: &Weak<Wakeups>,
    dialer: &Dialer,
    channel: &str,
    stands: &watch::Sender<bool>,
) -> redis::RedisResult<()> {
    let patience = Duration::from_secs(2);
    let connect = async {
        let client = any_client(dialer, patience).await?;
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(channel).await?;
        Ok::<_, redis::RedisError>(subscription)
    };
    let connected = tokio::time::timeout(patience, connect).await;
    let mut subscription = connected.map_err(|_| {
        redis::RedisError::from((redis::ErrorKind::Io, "the subscription got no answer"))
    })??;
    stands.send_replace(true);
    // What was published while nobody listened is gone: everyone looks once.
    if let Some(wakeups) = wakeups.upgrade() {
        wakeups.ring_all();
    }
    let mut messages = subscription.on_message();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(5), messages.next()).await;
        let Some(wakeups) = wakeups.upgrade() else {
            return Ok(());
        };
        match next {
            Ok(Some(message)) => {
                wakeups.ring(&String::from_utf8_lossy(message.get_payload_bytes()));
            }
            Ok(None) => {
                stands.send_replace(false);
                return Err((redis::ErrorKind::Io, "the connection ended").into());
            }
            Err(_) => {}
        }
    }
}
