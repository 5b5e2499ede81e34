//! The receipt of a delivery: where the message lies, and which delivery it was.

use longshore_core::Receipt;
use uuid::Uuid;

use crate::protocol::storage::{Bucket, Position, Stream};

/// What a receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryTag {
    /// The cell that the message is in.
    pub(crate) cell: i16,
    pub(crate) bucket: Bucket,
    pub(crate) position: Position,
    /// The serial of the delivery: the fence.
    pub(crate) serial: i32,
    pub(crate) attempt: u32,
}

const VERSION: u8 = 2;

impl DeliveryTag {
    /// The receipt.
    pub(crate) fn receipt(&self) -> Receipt {
        let stream = self.bucket.stream;
        let mut bytes = vec![VERSION];
        bytes.extend(self.cell.to_be_bytes());
        bytes.extend(stream.queue.as_bytes());
        bytes.extend(stream.shard.to_be_bytes());
        bytes.extend(stream.kind.to_be_bytes());
        bytes.extend(self.bucket.number.to_be_bytes());
        bytes.extend(self.position.pos.to_be_bytes());
        bytes.extend(self.position.id.as_bytes());
        bytes.extend(self.serial.to_be_bytes());
        bytes.extend(self.attempt.to_be_bytes());
        Receipt::from_bytes(bytes)
    }

    /// Reads a receipt; `None` if it is none of this store.
    pub(crate) fn of(receipt: &Receipt) -> Option<Self> {
        let mut rest = receipt.as_bytes();
        let [version] = take(&mut rest)?;
        let cell = i16::from_be_bytes(take(&mut rest)?);
        let queue = Uuid::from_bytes(take(&mut rest)?);
        let shard = i32::from_be_bytes(take(&mut rest)?);
        let kind = i8::from_be_bytes(take(&mut rest)?);
        let number = i64::from_be_bytes(take(&mut rest)?);
        let pos = i64::from_be_bytes(take(&mut rest)?);
        let id = Uuid::from_bytes(take(&mut rest)?);
        let serial = i32::from_be_bytes(take(&mut rest)?);
        let attempt = u32::from_be_bytes(take(&mut rest)?);
        let stream = Stream { queue, shard, kind };
        (version == VERSION && rest.is_empty()).then_some(Self {
            cell,
            bucket: Bucket { stream, number },
            position: Position { pos, id },
            serial,
            attempt,
        })
    }
}

pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_a_tag_or_none_fuzzed() {
        let stream = Stream {
            queue: Uuid::from_u128(7),
            shard: 3,
            kind: 1,
        };
        let tag = DeliveryTag {
            cell: 2,
            bucket: Bucket { stream, number: -4 },
            position: Position {
                pos: -9,
                id: Uuid::from_u128(8),
            },
            serial: 5,
            attempt: 6,
        };
        let samples = [tag.receipt().as_bytes().to_vec()];
        longshore_fuzz::fuzz("cassandra-receipt", &samples, |input| {
            let receipt = Receipt::from_bytes(input.to_vec());
            let tag = DeliveryTag::of(&receipt);
            if let Some(tag) = tag {
                assert_eq!(tag.receipt(), receipt);
            }
            tag.is_some().to_string()
        });
    }
}
