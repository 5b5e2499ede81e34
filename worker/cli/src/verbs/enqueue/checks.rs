//! What is refused before the store is asked.

use longshore::core::{Due, Headers, NewMessage, QueueName, QueueSettings, StoreLimits, Timestamp};

use crate::parse::{HeaderPair, Span};

/// The limits of a queue.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    queue: QueueName,
    /// The greatest body in bytes.
    pub(super) body_max: usize,
}

impl Limits {
    /// The limits of a queue with these settings.
    pub(super) fn new(queue: &QueueName, store: &StoreLimits, settings: &QueueSettings) -> Self {
        Self {
            queue: queue.clone(),
            body_max: settings.body_bytes_max(store),
        }
    }

    /// The sentence for a body that is over the limit; `bytes` is `None` where reading stopped.
    pub(super) fn too_large(&self, bytes: Option<usize>) -> String {
        let has = bytes.map_or_else(
            || format!("more than {}", self.body_max),
            |bytes| bytes.to_string(),
        );
        format!(
            "the body has {has} bytes, queue \"{}\" takes at most {}; store the data elsewhere \
             and enqueue where it lies, or raise body_max",
            self.queue, self.body_max
        )
    }

    /// Says what is wrong with a message, if anything.
    pub(super) fn check(&self, message: &NewMessage) -> Result<(), String> {
        if message.body.len() > self.body_max {
            return Err(self.too_large(Some(message.body.len())));
        }
        message.check_times()?;
        message.headers.check()
    }
}

/// Headers of the command line; one that is given twice is refused rather than half dropped.
pub(super) fn headers(pairs: &[HeaderPair]) -> Result<Headers, String> {
    let mut headers = Headers::new();
    for pair in pairs {
        if headers.get(&pair.name).is_some() {
            return Err(format!("header {:?} is given twice", pair.name));
        }
        headers.insert(&pair.name, &pair.value);
    }
    headers.check()?;
    Ok(headers)
}

/// When a message is due: after a delay, at a time, or at once.
pub(super) fn due(delay: Option<Span>, at: Option<Timestamp>) -> Option<Due> {
    delay
        .map(|span| Due::In(span.0))
        .or_else(|| at.map(Due::At))
}
