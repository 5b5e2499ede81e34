//! What a receipt of this store holds.

use longshore_core::Receipt;

const VERSION: u8 = 1;
const LENGTH: usize = 33;

/// The proof of one delivery, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) partition: u16,
    pub(crate) lane: u8,
    /// Whether an ack has more to do than to delete the entry.
    pub(crate) special: bool,
    pub(crate) attempt: u32,
    /// The random name of the segment: the fence.
    pub(crate) segment: u64,
    /// The entry in the stream of the lane.
    pub(crate) entry: (u64, u64),
}

impl Proof {
    pub(crate) fn to_receipt(&self) -> Receipt {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.partition.to_be_bytes());
        bytes.extend_from_slice(&[self.lane, u8::from(self.special)]);
        bytes.extend_from_slice(&self.attempt.to_be_bytes());
        bytes.extend_from_slice(&self.segment.to_be_bytes());
        bytes.extend_from_slice(&self.entry.0.to_be_bytes());
        bytes.extend_from_slice(&self.entry.1.to_be_bytes());
        Receipt::from_bytes(bytes)
    }

    /// `None` for a receipt that this store did not make.
    pub(crate) fn of(receipt: &Receipt) -> Option<Self> {
        let bytes: &[u8; LENGTH] = receipt.as_bytes().try_into().ok()?;
        let number = |from: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[from..from + 8]);
            u64::from_be_bytes(eight)
        };
        let fine = bytes[0] == VERSION && bytes[3] <= 2 && bytes[4] <= 1;
        fine.then(|| Self {
            partition: u16::from_be_bytes([bytes[1], bytes[2]]),
            lane: bytes[3],
            special: bytes[4] == 1,
            attempt: u32::from_be_bytes([bytes[5], bytes[6], bytes[7], bytes[8]]),
            segment: number(9),
            entry: (number(17), number(25)),
        })
    }

    /// The segment as the server knows it.
    pub(crate) fn segment_name(&self) -> String {
        segment_name(self.segment)
    }

    /// The entry as the server knows it.
    pub(crate) fn entry_name(&self) -> String {
        format!("{}-{}", self.entry.0, self.entry.1)
    }
}

/// A segment as the server knows it.
pub(crate) fn segment_name(segment: u64) -> String {
    format!("{segment:016x}")
}

/// The two numbers of an entry's name.
pub(crate) fn entry_parts(name: &str) -> Option<(u64, u64)> {
    let (ms, sequence) = name.split_once('-')?;
    Some((ms.parse().ok()?, sequence.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_are_read_back_and_strangers_are_none() {
        let proof = Proof {
            partition: 3,
            lane: 2,
            special: true,
            attempt: 7,
            segment: 0xfeed,
            entry: (1_767_225_600_000, 12),
        };
        assert_eq!(Proof::of(&proof.to_receipt()), Some(proof));
        for bad in [vec![], vec![1], vec![9; LENGTH], vec![0; 255]] {
            assert_eq!(Proof::of(&Receipt::from_bytes(bad)), None);
        }
        assert_eq!(entry_parts("12-3"), Some((12, 3)));
        assert_eq!(entry_parts("12"), None);
    }
}
