//! How far buckets are settled: told to whoever owns the stripe next.

use std::time::Duration;

use futures_util::future::try_join_all;
use longshore_core::{Result, Timestamp};
use uuid::Uuid;

use crate::rows::{Bucket, Settled, Spot};
use crate::shard::Shard;
use crate::shard::known::{KnownBucket, SWEEP, micros_before};

/// How often it is noted while a stripe is kept: the next owner of one whose owner died reads
/// what was settled since.
const NOTE_EVERY: Duration = Duration::from_secs(5);

const TAG_OPEN: u8 = 0;
const TAG_SCANNED: u8 = 1;

impl Shard {
    /// Notes how far the buckets are settled, now and then.
    pub(crate) async fn note_settled_seldom(&mut self, now: Timestamp) -> Result<()> {
        if now.since(self.noted_at) < NOTE_EVERY {
            return Ok(());
        }
        self.noted_at = now;
        self.note_settled(now).await
    }

    /// Notes how far the buckets are settled, as far as that was written.
    pub(crate) async fn note_settled(&mut self, now: Timestamp) -> Result<()> {
        self.flights.all_landed().await;
        if self.is_doubted() {
            return Ok(());
        }
        let mut notes = Vec::new();
        for (lane, known) in &self.streams {
            let stream = self.stream(*lane);
            for (number, known) in &known.buckets {
                let number = *number;
                let bucket = Bucket { stream, number };
                if let Some(settled) = self.settled(bucket, known, now) {
                    notes.push((bucket, settled));
                }
            }
        }
        let rows = &*self.rows;
        let written = notes
            .iter()
            .map(|(bucket, settled)| rows.note_settled(*bucket, *settled));
        try_join_all(written).await?;
        for (bucket, settled) in notes {
            self.known_entry(bucket).noted = Some(settled);
        }
        Ok(())
    }

    /// How far a bucket is settled, if something else was noted. It may be less: a message came late.
    fn settled(&self, bucket: Bucket, known: &KnownBucket, now: Timestamp) -> Option<Settled> {
        if known.known_until > now {
            // Ids that ended there are recognised: the next owner has to read them.
            return None;
        }
        let told_from = known.open.iter().map(|spot| self.told_from(bucket, *spot));
        let ahead = known.rolled.values().map(|first| first.told_at);
        let mut to = told_from.chain(ahead).fold(known.next, Spot::min);
        if !known.is_final {
            // What comes a little late is looked for there by the next owner, too.
            let fresh = micros_before(now, SWEEP);
            let pos = known.unswept.map_or(fresh, |from| from.min(fresh));
            let id = Uuid::nil();
            to = to.min(Spot { pos, id });
        }
        let settled = Settled {
            to,
            scanned: known.is_final,
        };
        let is_news = match known.noted {
            Some(noted) => noted != settled,
            None => to > Spot::FIRST,
        };
        is_news.then_some(settled)
    }

    fn told_from(&self, bucket: Bucket, spot: Spot) -> Spot {
        let entry = self.model.entries.get(&spot.id);
        let entry = entry.filter(|entry| entry.address == (bucket, spot));
        entry.map_or(spot, |entry| entry.told_from)
    }
}

impl Settled {
    /// The value of its column.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let tag = if self.scanned { TAG_SCANNED } else { TAG_OPEN };
        let mut bytes = vec![tag];
        bytes.extend(self.to.pos.to_be_bytes());
        bytes.extend(self.to.id.as_bytes());
        bytes
    }

    /// Reads a value. One of another form is as good as none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        let (pos, id) = rest.split_first_chunk()?;
        let scanned = match *tag {
            TAG_OPEN => false,
            TAG_SCANNED => true,
            _ => return None,
        };
        let pos = i64::from_be_bytes(*pos);
        let id = Uuid::from_slice(id).ok()?;
        let to = Spot { pos, id };
        Some(Self { to, scanned })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_and_a_strange_one_is_none() {
        for scanned in [false, true] {
            let to = Spot {
                pos: -7,
                id: Uuid::from_u128(9),
            };
            let settled = Settled { to, scanned };
            let mut bytes = settled.to_bytes();
            assert_eq!(Settled::from_bytes(&bytes), Some(settled));
            assert_eq!(Settled::from_bytes(&bytes[1..]), None);
            bytes[0] = 9;
            assert_eq!(Settled::from_bytes(&bytes), None);
        }
        assert_eq!(Settled::from_bytes(&[]), None);
    }
}
