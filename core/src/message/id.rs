//! Message ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The identity of a message: one UUID, kept through retries, dead letters, redrives and moves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(Uuid);

impl MessageId {
    /// Takes a UUID as the id.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }

    /// The id of a child: a `UUIDv8` of the parent's leading time bits and a hash of `seed`.
    ///
    /// The same parent and seed always give the same child, so a rerun names the same message;
    /// keeping the time bits keeps ids sorted by age.
    #[must_use]
    pub fn derive(self, seed: &[&[u8]]) -> Self {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        hasher.update(self.0.as_bytes());
        Self::hashed(&self.0.as_bytes()[..6], hasher, seed)
    }

    /// The id of a thing that has no parent (a file, a line): a `UUIDv8` of a hash of `seed` alone.
    #[must_use]
    pub fn from_content(seed: &[&[u8]]) -> Self {
        Self::hashed(&[0; 6], xxhash_rust::xxh3::Xxh3::new(), seed)
    }

    fn hashed(time: &[u8], mut hasher: xxhash_rust::xxh3::Xxh3, seed: &[&[u8]]) -> Self {
        for part in seed {
            // The length goes first, so that ("ab", "c") and ("a", "bc") differ.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut bytes = hasher.digest128().to_be_bytes();
        if time != [0; 6] {
            bytes[..6].copy_from_slice(time);
        }
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

/// Who made an id. It decides how long a repeat is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdOrigin {
    /// Made by the library for this enqueue: protected against transport retries only.
    Fresh,
    /// Named by the caller or derived: a repeat answers Duplicate while the message lives or
    /// is dead, and for the queue's `id_window` after its ack.
    Given,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_stable_and_keep_the_parents_time() {
        let parent: MessageId = "018f3c7a-5b2e-7d11-9a3b-0123456789ab".parse().unwrap();
        let child = parent.derive(&[b"route", b"1"]);
        assert_eq!(child, parent.derive(&[b"route", b"1"]));
        assert_ne!(child, parent.derive(&[b"route1", b""]));
        assert_eq!(
            child.as_uuid().as_bytes()[..6],
            parent.as_uuid().as_bytes()[..6]
        );
        assert_eq!(child.as_uuid().get_version_num(), 8);
        // Stored ids depend on it: this value must never change.
        assert_eq!(child.to_string(), "018f3c7a-5b2e-8733-8142-93d0c0e5632d");
    }
}
