//! The stored form of a message: versioned, checksummed, and the only codec of it.
//!
//! A message is stored as a *head* and the *body* beside it, so that an operator can read the
//! body with the store's own shell. Layout of the head (integers little-endian, lengths LEB128):
//!
//! ```text
//! 0      magic 0xD7
//! 1      version
//! 2..10  xxh3-64 of: version byte, the head from byte 10, the body
//! 10..   fields of that version
//! ```
//!
//! These ten bytes are the same in every version: the checksum is tested before the version is
//! believed, so a flipped bit is *damaged* and never mistaken for a newer version.

mod read;
mod write;

pub use read::{DecodeError, decode};
#[cfg(feature = "test-util")]
pub use write::encode_newer;
pub use write::{encode, encode_new};

/// The version this build writes.
pub const VERSION: u8 = 1;

const MAGIC: u8 = 0xD7;
const FRAME: usize = 10;

const HAS_GROUP: u8 = 1;
const HAS_EXPIRY: u8 = 2;
const HAS_DEDUP: u8 = 4;
const HAS_TRACE: u8 = 8;
const IS_GIVEN: u8 = 16;
const FLAGS: u8 = HAS_GROUP | HAS_EXPIRY | HAS_DEDUP | HAS_TRACE | IS_GIVEN;

/// Bodies up to this long are copied for the checksum: hashing one piece is several times
/// cheaper than feeding three pieces to a hasher that keeps a state.
const COPIED_MAX: usize = 4096;

fn checksum(version: u8, fields: &[u8], body: &[u8]) -> u64 {
    if body.len() <= COPIED_MAX {
        let mut all = Vec::with_capacity(1 + fields.len() + body.len());
        all.push(version);
        all.extend_from_slice(fields);
        all.extend_from_slice(body);
        return xxhash_rust::xxh3::xxh3_64(&all);
    }
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    hasher.update(&[version]);
    hasher.update(fields);
    hasher.update(body);
    hasher.digest()
}

#[cfg(test)]
mod tests;
