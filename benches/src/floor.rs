//! The least that could be done with the same bytes.

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

/// The checksum of a head and a body, and nothing else.
pub fn hash(head: &[u8], body: &[u8]) -> u64 {
    xxh3_64(head) ^ xxh3_64(body)
}

/// A copy of the head and the checksum of both.
pub fn copy_and_hash(head: &[u8], body: &Bytes) -> (Vec<u8>, u64) {
    (head.to_vec(), hash(head, body))
}
