//! The receipt of a delivery: the number of the row, then the token of the delivery.

use bytes::Bytes;
use longshore_core::Receipt;

/// The receipt of a row under a token.
pub(crate) fn receipt(seq: i64, token: i64) -> Receipt {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seq.to_be_bytes());
    bytes[8..].copy_from_slice(&token.to_be_bytes());
    Receipt::from_bytes(Bytes::copy_from_slice(&bytes))
}

/// What a receipt says; `None` if it is none of this store.
pub(crate) fn read_receipt(receipt: &Receipt) -> Option<(i64, i64)> {
    let (seq, token) = receipt.as_bytes().split_first_chunk::<8>()?;
    let token: [u8; 8] = token.try_into().ok()?;
    Some((i64::from_be_bytes(*seq), i64::from_be_bytes(token)))
}
