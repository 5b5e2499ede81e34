//! The proof of one delivery.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

use crate::QueueName;

/// Proves one delivery of one message. New for every delivery; opaque to everyone but the
/// store that made it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Receipt(Bytes);

impl Receipt {
    /// A receipt of these bytes, at most 255 of them.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes the store put in.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({})", URL_SAFE_NO_PAD.encode(&self.0))
    }
}

/// A receipt as one word that knows its queue, for people and scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptWord {
    /// The queue it belongs to.
    pub queue: QueueName,
    /// The receipt itself.
    pub receipt: Receipt,
}

/// The word is not a receipt that longshore printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a receipt: {0}; use the word that `receive` printed")]
pub struct ReceiptWordError(&'static str);

impl fmt::Display for ReceiptWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Version, length of the queue name, name, receipt, two check bytes.
        let name = self.queue.as_str().as_bytes();
        let mut raw = vec![1, name.len() as u8];
        raw.extend_from_slice(name);
        raw.extend_from_slice(self.receipt.as_bytes());
        let check = xxhash_rust::xxh3::xxh3_64(&raw) as u16;
        raw.extend_from_slice(&check.to_le_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(raw))
    }
}

impl FromStr for ReceiptWord {
    type Err = ReceiptWordError;

    fn from_str(word: &str) -> Result<Self, ReceiptWordError> {
        let raw = URL_SAFE_NO_PAD
            .decode(word)
            .map_err(|_| ReceiptWordError("bad characters"))?;
        let Some((content, check)) = raw.split_last_chunk::<2>() else {
            return Err(ReceiptWordError("it is too short"));
        };
        if xxhash_rust::xxh3::xxh3_64(content) as u16 != u16::from_le_bytes(*check) {
            return Err(ReceiptWordError("its check bytes do not match"));
        }
        let [1, length, rest @ ..] = content else {
            return Err(ReceiptWordError("it has another version"));
        };
        let (name, receipt) = rest
            .split_at_checked(usize::from(*length))
            .ok_or(ReceiptWordError("it is too short"))?;
        let queue = std::str::from_utf8(name)
            .ok()
            .and_then(|name| QueueName::new(name).ok());
        Ok(Self {
            queue: queue.ok_or(ReceiptWordError("it contains an invalid queue name"))?,
            receipt: Receipt::from_bytes(Bytes::copy_from_slice(receipt)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_shown_as_it_is_in_its_word() {
        let receipt = Receipt::from_bytes(vec![1, 2, 3]);
        assert_eq!(format!("{receipt:?}"), "Receipt(AQID)");
    }

    /// With check bytes that are right, and as it came.
    #[test]
    fn any_word_is_a_receipt_or_refused_fuzzed() {
        let sample = ReceiptWord {
            queue: QueueName::new("images").unwrap(),
            receipt: Receipt::from_bytes(vec![1, 2, 3]),
        };
        let raw = URL_SAFE_NO_PAD.decode(sample.to_string()).unwrap();
        let samples = [sample.to_string().into_bytes(), raw];
        longshore_fuzz::fuzz("receipt-word", &samples, |input| {
            let check = xxhash_rust::xxh3::xxh3_64(input) as u16;
            let sealed = URL_SAFE_NO_PAD.encode([input, &check.to_le_bytes()].concat());
            let words = [String::from_utf8_lossy(input).into_owned(), sealed];
            let ways = words.map(|word| match word.parse::<ReceiptWord>() {
                Ok(read) => {
                    assert_eq!(read.to_string(), word);
                    format!(
                        "a receipt of {} bytes",
                        read.receipt.as_bytes().len().min(1)
                    )
                }
                Err(error) => error.to_string(),
            });
            ways.join(", ")
        });
    }

    #[test]
    fn words_are_read_back_and_garbage_is_refused() {
        let word = ReceiptWord {
            queue: QueueName::new("images").unwrap(),
            receipt: Receipt::from_bytes(vec![1, 2, 3]),
        };
        let text = word.to_string();
        assert_eq!(text.parse::<ReceiptWord>().unwrap(), word);
        for bad in ["", "x", "garbage", "!!!", &text[1..], &format!("{text}A")] {
            assert!(bad.parse::<ReceiptWord>().is_err(), "{bad}");
        }
    }
}
