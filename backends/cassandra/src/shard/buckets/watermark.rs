//! How far buckets are settled: told to the next owner of the stripe.

use std::time::Duration;

use futures_util::future::try_join_all;
use longshore_core::{Result, Timestamp};
use uuid::Uuid;

use crate::protocol::receipt::take;
use crate::protocol::storage::{Bucket, Counted, Position, Watermark};
use crate::shard::Shard;
use crate::shard::buckets::progress::{BucketProgress, SWEEP, micros_before};

/// How often it is noted while a stripe is kept: the next owner of one whose owner died reads
/// what was settled since.
const NOTE_EVERY: Duration = Duration::from_secs(5);

const TAG_OPEN: u8 = 0;
const TAG_SCANNED: u8 = 1;

impl Shard {
    /// Notes how far the buckets are settled, now and then.
    pub(crate) async fn note_watermarks_seldom(&mut self, now: Timestamp) -> Result<()> {
        if now.since(self.noted_at) < NOTE_EVERY {
            return Ok(());
        }
        self.noted_at = now;
        self.note_watermark(now).await
    }

    /// Notes how far the buckets are settled, as far as that was written.
    pub(crate) async fn note_watermark(&mut self, now: Timestamp) -> Result<()> {
        self.in_flight_writes.all_completed().await;
        if self.is_doubted() {
            return Ok(());
        }
        let mut notes = Vec::new();
        for (kind, known) in &self.streams {
            let stream = self.stream(*kind);
            for (number, known) in &known.buckets {
                let number = *number;
                let bucket = Bucket { stream, number };
                if let Some(watermark) = self.watermark(bucket, known, now) {
                    notes.push((bucket, watermark));
                }
            }
        }
        let rows = &*self.storage;
        let written = notes
            .iter()
            .map(|(bucket, watermark)| rows.note_watermark(*bucket, *watermark));
        try_join_all(written).await?;
        for (bucket, watermark) in notes {
            self.known_entry(bucket).noted = Some(watermark);
        }
        Ok(())
    }

    /// How far a bucket is settled, if something else was noted. It may be less: a message came
    /// late.
    fn watermark(
        &self,
        bucket: Bucket,
        known: &BucketProgress,
        now: Timestamp,
    ) -> Option<Watermark> {
        let counted = known.counted.filter(|it| !known.at_end && it.count > 0);
        let noted = known.noted.unwrap_or(Watermark::NOTHING);
        let watermark = Watermark {
            counted,
            ..if known.known_until > now {
                // Ids that ended there are recognised: the next owner has to read them.
                noted
            } else {
                self.settled_position(bucket, known, now)
            }
        };
        let same_count = match (noted.counted, counted) {
            (Some(before), Some(counted)) => before.is_same(&counted),
            (before, counted) => before.is_none() == counted.is_none(),
        };
        let is_same = watermark.to == noted.to
            && (known.noted.is_none() || watermark.scanned == noted.scanned);
        (!is_same || !same_count).then_some(watermark)
    }

    fn settled_position(
        &self,
        bucket: Bucket,
        known: &BucketProgress,
        now: Timestamp,
    ) -> Watermark {
        let events_from = known
            .open
            .iter()
            .map(|position| self.events_from(bucket, *position));
        let ahead = known
            .first_deliveries
            .values()
            .map(|first| first.event_position);
        let mut to = events_from.chain(ahead).fold(known.next, Position::min);
        if !known.is_final {
            // What comes a little late is looked for there by the next owner, too.
            let fresh = micros_before(now, SWEEP);
            let pos = known.unswept.map_or(fresh, |from| from.min(fresh));
            let id = Uuid::nil();
            to = to.min(Position { pos, id });
        }
        Watermark {
            to,
            scanned: known.is_final,
            counted: None,
        }
    }

    fn events_from(&self, bucket: Bucket, position: Position) -> Position {
        let entry = self.index.entries.get(&position.id);
        let entry = entry.filter(|entry| entry.address == (bucket, position));
        entry.map_or(position, |entry| entry.events_from)
    }
}

impl Watermark {
    /// What is true where nothing was noted: the bucket is read from its beginning.
    pub(crate) const NOTHING: Self = Self {
        to: Position::FIRST,
        scanned: true,
        counted: None,
    };

    /// The value of its column.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let tag = if self.scanned { TAG_SCANNED } else { TAG_OPEN };
        let mut bytes = vec![tag];
        put_position(&mut bytes, self.to);
        if let Some(counted) = self.counted {
            put_position(&mut bytes, counted.from);
            put_position(&mut bytes, counted.to);
            bytes.extend(counted.count.to_be_bytes());
            bytes.extend(counted.at.as_millis().to_be_bytes());
        }
        bytes
    }

    /// Reads a value. One of another form is as good as none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tag, mut rest) = bytes.split_first()?;
        let scanned = match *tag {
            TAG_OPEN => false,
            TAG_SCANNED => true,
            _ => return None,
        };
        let to = take_position(&mut rest)?;
        let mut counted = None;
        if !rest.is_empty() {
            counted = Some(Counted {
                from: take_position(&mut rest)?,
                to: take_position(&mut rest)?,
                count: u64::from_be_bytes(take(&mut rest)?),
                at: Timestamp::from_millis(i64::from_be_bytes(take(&mut rest)?)),
            });
        }
        rest.is_empty().then_some(Self {
            to,
            scanned,
            counted,
        })
    }
}

fn put_position(bytes: &mut Vec<u8>, position: Position) {
    bytes.extend(position.pos.to_be_bytes());
    bytes.extend(position.id.as_bytes());
}

fn take_position(rest: &mut &[u8]) -> Option<Position> {
    let pos = i64::from_be_bytes(take(rest)?);
    let id = Uuid::from_bytes(take(rest)?);
    Some(Position { pos, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_and_a_strange_one_is_none() {
        let to = Position {
            pos: -7,
            id: Uuid::from_u128(9),
        };
        let counted = Counted {
            from: to,
            to: Position::LAST,
            count: 300_000,
            at: Timestamp::from_millis(5),
        };
        for (scanned, counted) in [(false, None), (true, None), (true, Some(counted))] {
            let watermark = Watermark {
                to,
                scanned,
                counted,
            };
            let mut bytes = watermark.to_bytes();
            assert_eq!(Watermark::from_bytes(&bytes), Some(watermark));
            assert_eq!(Watermark::from_bytes(&bytes[1..]), None);
            bytes[0] = 9;
            assert_eq!(Watermark::from_bytes(&bytes), None);
        }
        assert_eq!(Watermark::from_bytes(&[]), None);
    }
}
