//! What a store provides to be tested.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use longshore_core::{Backend, ManualClock, NewMessage, QueueName};

/// A kind of store that can be opened for one case.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// The store's name: the first part of the name of each of its tests.
    fn name(&self) -> &'static str;

    /// Opens a fresh, empty store that nobody else sees and that runs on `clock`.
    async fn open(&self, clock: Arc<ManualClock>) -> Box<dyn Subject>;

    /// Opens the reference model on `clock`: what the property test compares the store with.
    fn model(&self, clock: Arc<ManualClock>) -> Backend;

    /// How many random histories the property test tries where the environment does not say.
    fn property_cases(&self) -> u32;

    /// Cases that ask for what the declared limits of this store exclude, with the limit that
    /// does: they are shown as ignored, and one that no longer exists fails the run.
    fn excluded(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The only cases to play on this store, where others of its kind play the rest; `None` plays
    /// all. One that no longer exists fails the run.
    fn only(&self) -> Option<&'static [(&'static str, &'static str)]> {
        None
    }
}

/// An open store under test. It is removed when this is dropped.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// The handle that the case works with.
    fn backend(&self) -> Backend;

    /// Another handle to the same data, as another process would open it.
    async fn reopen(&self) -> Backend;

    /// Stores a row as `enqueue` would store `new` (same id, group, lane and due time), but with
    /// these bytes as its stored form.
    async fn plant(&self, queue: &QueueName, new: &NewMessage, head: Vec<u8>, body: Vec<u8>);
}

/// A store that should be tested and cannot be.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The store's name.
    pub name: &'static str,
    /// Why it cannot be tested here, and what to do about it.
    pub why: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be tested: {}", self.name, self.why)
    }
}
