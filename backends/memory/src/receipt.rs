//! The receipt of a delivery: the id of the message, then the number of the delivery.

use bytes::Bytes;
use longshore_core::{MessageId, Receipt};

/// The receipt of a delivery of a message.
pub(crate) fn receipt(id: MessageId, delivery: u64) -> Receipt {
    let mut bytes = id.as_uuid().as_bytes().to_vec();
    bytes.extend_from_slice(&delivery.to_be_bytes());
    Receipt::from_bytes(Bytes::from(bytes))
}

/// What a receipt says; `None` if it is none of this store.
pub(crate) fn read_receipt(receipt: &Receipt) -> Option<(MessageId, u64)> {
    let (id, delivery) = receipt.as_bytes().split_first_chunk::<16>()?;
    let id = MessageId::from_uuid(uuid::Uuid::from_bytes(*id));
    Some((id, u64::from_be_bytes(delivery.try_into().ok()?)))
}
