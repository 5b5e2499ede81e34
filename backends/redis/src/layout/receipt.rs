//! What a receipt of this store holds.

use longshore_core::Receipt;

const VERSION: u8 = 1;
const LENGTH: usize = 33;
/// Groups of longer names are not in receipts, which have at most 255 bytes.
const GROUP_MAX: usize = 200;

/// What an ack has to do besides deleting the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AckWay {
    Plain,
    /// The next of this group comes.
    Grouped(String),
    /// More than the receipt tells.
    Special,
}

impl AckWay {
    /// The way of a member of this group.
    pub(crate) fn of_group(group: &str) -> Self {
        if group.len() <= GROUP_MAX {
            return Self::Grouped(group.to_owned());
        }
        Self::Special
    }

    /// The group that the receipt names, or none.
    pub(crate) fn group(&self) -> &str {
        match self {
            Self::Grouped(group) => group,
            Self::Plain | Self::Special => "",
        }
    }

    const fn number(&self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Special => 1,
            Self::Grouped(_) => 2,
        }
    }

    fn read(number: u8, group: &[u8]) -> Option<Self> {
        match number {
            0 if group.is_empty() => Some(Self::Plain),
            1 if group.is_empty() => Some(Self::Special),
            2 if !group.is_empty() => Some(Self::Grouped(String::from_utf8(group.into()).ok()?)),
            _ => None,
        }
    }
}

/// The proof of one delivery, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) partition: u16,
    pub(crate) lane: u8,
    pub(crate) ack: AckWay,
    pub(crate) attempt: u32,
    /// The random name of the segment: the fence.
    pub(crate) segment: u64,
    /// The entry in the stream of the lane.
    pub(crate) entry: (u64, u64),
}

impl Proof {
    pub(crate) fn to_receipt(&self) -> Receipt {
        let group = self.ack.group().as_bytes();
        let mut bytes = Vec::with_capacity(LENGTH + group.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.partition.to_be_bytes());
        bytes.extend_from_slice(&[self.lane, self.ack.number()]);
        bytes.extend_from_slice(&self.attempt.to_be_bytes());
        bytes.extend_from_slice(&self.segment.to_be_bytes());
        bytes.extend_from_slice(&self.entry.0.to_be_bytes());
        bytes.extend_from_slice(&self.entry.1.to_be_bytes());
        bytes.extend_from_slice(group);
        Receipt::from_bytes(bytes)
    }

    /// `None` for a receipt that this store did not make.
    pub(crate) fn of(receipt: &Receipt) -> Option<Self> {
        let (bytes, group) = receipt.as_bytes().split_first_chunk::<LENGTH>()?;
        let number = |from: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[from..from + 8]);
            u64::from_be_bytes(eight)
        };
        if bytes[0] != VERSION || bytes[3] > 2 {
            return None;
        }
        Some(Self {
            partition: u16::from_be_bytes([bytes[1], bytes[2]]),
            lane: bytes[3],
            ack: AckWay::read(bytes[4], group)?,
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

    fn proof(ack: AckWay) -> Proof {
        Proof {
            partition: 3,
            lane: 2,
            ack,
            attempt: 7,
            segment: 0xfeed,
            entry: (1_767_225_600_000, 12),
        }
    }

    #[test]
    fn any_bytes_are_a_proof_or_none_fuzzed() {
        let samples: Vec<_> = [AckWay::Plain, AckWay::Special, AckWay::of_group("g")]
            .into_iter()
            .map(|ack| proof(ack).to_receipt().as_bytes().to_vec())
            .collect();
        longshore_fuzz::fuzz("redis-receipt", &samples, |input| {
            let receipt = Receipt::from_bytes(input.to_vec());
            let proof = Proof::of(&receipt);
            if let Some(proof) = &proof {
                assert_eq!(proof.to_receipt(), receipt);
            }
            format!("{:?}", proof.map(|proof| (proof.ack.number(), proof.lane)))
        });
    }

    #[test]
    fn proofs_are_read_back_and_strangers_are_none() {
        for ack in [
            AckWay::Plain,
            AckWay::Special,
            AckWay::of_group("order 7/é"),
            AckWay::of_group(&"g".repeat(GROUP_MAX)),
            AckWay::of_group(&"g".repeat(GROUP_MAX + 1)),
        ] {
            let proof = proof(ack);
            let receipt = proof.to_receipt();
            assert!(receipt.as_bytes().len() <= 255);
            assert_eq!(Proof::of(&receipt), Some(proof));
        }
        for bad in [vec![], vec![1], vec![9; LENGTH], vec![0; 255]] {
            assert_eq!(Proof::of(&Receipt::from_bytes(bad)), None);
        }
        assert_eq!(entry_parts("12-3"), Some((12, 3)));
        assert_eq!(entry_parts("12"), None);
    }
}
