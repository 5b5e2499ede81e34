//! Typed jobs.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A job type that can be enqueued and handled. Its body is JSON.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// The stored name: chosen by hand, never from the type's name, so that renaming a type
    /// does not strand messages. Must be a valid [`crate::JobKind`].
    const KIND: &'static str;
}
