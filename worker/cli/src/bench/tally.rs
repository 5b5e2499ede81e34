//! Counts every message that comes out: nothing lost, nothing doubled.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which messages of a run came out. Small enough to be sent between processes: a bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    expected: u64,
    seen: u64,
    #[serde(serialize_with = "write_bits", deserialize_with = "read_bits")]
    bits: Vec<u64>,
    doubled: u64,
    foreign: u64,
}

impl Tally {
    /// Nothing came out yet of the messages 0 to `expected`.
    pub(crate) fn new(expected: u64) -> Self {
        Self {
            expected,
            seen: 0,
            bits: vec![0; expected.div_ceil(64) as usize],
            doubled: 0,
            foreign: 0,
        }
    }

    /// A message came out: its number, or `None` if it is not of this run. Answers how many
    /// different ones have come out.
    pub(crate) fn mark(&mut self, number: Option<u64>) -> u64 {
        let known = number.filter(|number| *number < self.expected);
        let Some((number, word)) = known.and_then(|number| {
            let word = self.bits.get_mut((number / 64) as usize)?;
            Some((number, word))
        }) else {
            self.foreign += 1;
            return self.seen;
        };
        let bit = 1 << (number % 64);
        if *word & bit == 0 {
            self.seen += 1;
        } else {
            self.doubled += 1;
        }
        *word |= bit;
        self.seen
    }

    /// Takes in what another worker saw.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.doubled += other.doubled;
        self.foreign += other.foreign;
        let bits = self.bits.iter_mut().zip(&other.bits);
        for (mine, theirs) in bits {
            self.doubled += u64::from((*mine & theirs).count_ones());
            self.seen += u64::from((!*mine & theirs).count_ones());
            *mine |= theirs;
        }
    }

    /// What that means, where `left` messages are still in the store.
    pub(crate) fn check(&self, left: u64) -> Check {
        Check {
            expected: self.expected,
            seen: self.seen,
            missing: self.expected - self.seen,
            doubled: self.doubled,
            foreign: self.foreign,
            left,
        }
    }
}

/// Whether everything came out exactly once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// How many messages were stored.
    pub expected: u64,
    /// How many of them came out.
    pub seen: u64,
    /// How many did not.
    pub missing: u64,
    /// How often one came out that had come out before.
    pub doubled: u64,
    /// How many came out that nobody had put in.
    pub foreign: u64,
    /// How many the store still had at the end.
    pub left: u64,
}

impl Check {
    /// Whether nothing was lost or doubled.
    pub(crate) fn holds(&self) -> bool {
        self.missing + self.doubled + self.foreign + self.left == 0
    }

    /// Adds the check of another round.
    pub(crate) fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.seen += other.seen;
        self.missing += other.missing;
        self.doubled += other.doubled;
        self.foreign += other.foreign;
        self.left += other.left;
    }
}

fn write_bits<S: Serializer>(bits: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
    let raw: Vec<u8> = bits.iter().flat_map(|word| word.to_le_bytes()).collect();
    serializer.serialize_str(&STANDARD_NO_PAD.encode(raw))
}

fn read_bits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let raw = STANDARD_NO_PAD
        .decode(text)
        .map_err(serde::de::Error::custom)?;
    let (words, rest) = raw.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(serde::de::Error::custom("it ends within a word"));
    }
    Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(expected: u64, numbers: impl IntoIterator<Item = u64>) -> Tally {
        let mut tally = Tally::new(expected);
        for number in numbers {
            tally.mark(Some(number));
        }
        tally
    }

    #[test]
    fn two_workers_that_share_everything_hold() {
        let mut all = tally(1000, (0..1000).step_by(2));
        all.merge(&tally(1000, (1..1000).step_by(2)));
        assert!(all.check(0).holds(), "{:?}", all.check(0));
        assert_eq!(all.seen, 1000);
    }

    #[test]
    fn a_lost_message_is_found() {
        let check = tally(1000, (0..1000).filter(|number| *number != 777)).check(0);
        assert_eq!((check.missing, check.doubled), (1, 0));
        assert!(!check.holds());
    }

    #[test]
    fn a_doubled_message_is_found_in_one_worker_and_across_two() {
        let mut one = tally(100, (0..100).chain([5]));
        assert_eq!(one.check(0).doubled, 1);
        one.merge(&tally(100, [7, 8]));
        assert_eq!(one.check(0).doubled, 3);
        assert!(!one.check(0).holds());
    }

    #[test]
    fn what_nobody_put_in_and_what_stayed_behind_is_found() {
        let mut foreign = tally(100, 0..100);
        foreign.mark(None);
        foreign.mark(Some(100));
        assert_eq!(foreign.check(0).foreign, 2);
        assert!(!foreign.check(0).holds());
        assert!(!tally(100, 0..100).check(1).holds());
    }

    #[test]
    fn it_travels_between_processes() {
        let sent = tally(130, [0, 63, 64, 129]);
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), sent);
        assert!(
            serde_json::from_str::<Tally>(&text.replace("\"bits\":\"", "\"bits\":\"!")).is_err()
        );
    }
}
