//! What is refused before the store is asked.

use longshore::core::{Headers, NewMessage, QueueName, QueueSettings, StoreLimits};

use crate::parse::HeaderPair;

/// The limits of a queue.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    queue: QueueName,
    /// The greatest body in bytes.
    pub(super) body_max: usize,
    /// Whether the store takes greater ones where a queue allows them.
    may_raise: bool,
}

impl Limits {
    /// The limits of a queue with these settings.
    pub(super) fn new(queue: &QueueName, store: &StoreLimits, settings: &QueueSettings) -> Self {
        let body_max = settings.body_bytes_max(store);
        Self {
            queue: queue.clone(),
            body_max,
            may_raise: body_max < store.body_bytes_max,
        }
    }

    /// The sentence for a body that is over the limit; `bytes` is `None` where reading stopped.
    pub(super) fn too_large(&self, bytes: Option<usize>) -> String {
        let has = bytes.map_or_else(
            || format!("more than {}", self.body_max),
            |bytes| bytes.to_string(),
        );
        let or = if self.may_raise {
            ", or raise body_max"
        } else {
            ""
        };
        format!(
            "the body has {has} bytes, queue \"{}\" takes at most {}; store the data elsewhere \
             and enqueue where it lies{or}",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_the_stores_is_not_said_to_be_raised() {
        let queue = QueueName::new("q").expect("a name");
        let mut store = StoreLimits::exact();
        let mut said = |most, usual| {
            store.body_bytes_max = most;
            store.body_bytes_default = usual;
            let limits = Limits::new(&queue, &store, &QueueSettings::default());
            limits.too_large(None).contains("raise body_max")
        };
        assert!(said(200, 100));
        assert!(!said(100, 100));
    }
}
