//! Feeding each line of some files.

use std::io::Read;
use std::time::Duration;

use longshore_core::{IdOrigin, NewMessage};
use xxhash_rust::xxh3::xxh3_128;

use crate::intake::feeding::{Feeding, Look, blocking, name_file};
use crate::intake::held::Held;
use crate::intake::identity::{HEAD_BYTES, Identity};
use crate::intake::line_reader::{Bounds, Line, LineBatch, LineReader};
use crate::intake::listing::Found;
use crate::intake::record::Record;
use crate::intake::seen::Seen;
use crate::intake::stop::Stop;

/// A batch holds about so much.
const LINES_MAX: usize = 500;
const BYTES_MAX: usize = 1024 * 1024;
/// A last line without its end is taken once the file has not changed for this long.
const SETTLED: Duration = Duration::from_secs(5);
/// The same for a run that waits for it to end.
const FINITE_SETTLED: Duration = Duration::from_secs(1);

impl Feeding {
    /// Feeds what is new in a file.
    pub(super) async fn feed_lines(
        &self,
        held: &mut Held,
        found: &Found,
        seen: &mut Seen,
    ) -> Result<Look, Stop> {
        let key = Record::key(&self.scope, &found.name);
        let start = match blocking(found, |found| read_head(&found)).await {
            Ok(start) => start,
            Err(reason) => return Ok(Look::Unreadable(reason)),
        };
        let (mut record, is_new) = match held.load(&key).await? {
            Some(record) if is_same(&record, &start, found) => (record, false),
            before => {
                if before.is_none() && found.stat.len == 0 {
                    return Ok(Look::AtEnd);
                }
                let new = Record::new(&found.name, before.as_ref(), xxh3_128(&start));
                if let Some(before) = &before {
                    tracing::info!(route = %self.route.name, file = %found.name, read = before.offset, "another file took the place of the one before; it is read from its beginning");
                }
                (new, true)
            }
        };
        if !is_new && found.stat.len <= record.offset && record.day == self.today() {
            return Ok(Look::AtEnd);
        }
        let known = record.head_len;
        record.head_len = start.len();
        record.head = xxh3_128(&start);
        // Ids hold the hash of the beginning. One that can still grow is remembered before the
        // first line is stored: after a crash it must be found again.
        if is_new || (known < HEAD_BYTES && known != start.len()) {
            self.save(held, &key, &mut record).await?;
        }
        let (offset, lines) = (record.offset, record.lines);
        let opened = blocking(found, move |found| {
            LineReader::of(crate::intake::open::reading(&found)?, offset, lines)
        })
        .await;
        match opened {
            Ok(reader) => self.feed_from(held, found, seen, reader, record).await,
            Err(reason) => Ok(Look::Unreadable(reason)),
        }
    }

    async fn feed_from(
        &self,
        held: &mut Held,
        found: &Found,
        seen: &mut Seen,
        mut reader: LineReader,
        mut record: Record,
    ) -> Result<Look, Stop> {
        let key = Record::key(&self.scope, &found.name);
        let settled = if self.finite { FINITE_SETTLED } else { SETTLED };
        let bounds = Bounds {
            lines_max: LINES_MAX,
            bytes_max: BYTES_MAX,
            line_max: self.body_max().await?,
            take_unfinished: seen.unchanged_for(found) >= settled,
        };
        loop {
            let read = blocking(found, move |_| {
                let batch = reader.next_batch(bounds)?;
                Ok((reader, batch))
            });
            let batch: LineBatch;
            (reader, batch) = match read.await {
                Ok(read) => read,
                Err(reason) => return Ok(Look::Unreadable(reason)),
            };
            self.store_lines(held, found, &record, &batch).await?;
            if reader.offset != record.offset || record.day != self.today() {
                record.offset = reader.offset;
                record.lines = reader.lines;
                self.save(held, &key, &mut record).await?;
            }
            if batch.at_end {
                return Ok(if batch.unfinished > 0 {
                    Look::Waits
                } else {
                    Look::AtEnd
                });
            }
        }
    }

    async fn store_lines(
        &self,
        held: &mut Held,
        found: &Found,
        record: &Record,
        batch: &LineBatch,
    ) -> Result<(), Stop> {
        let identity = Identity {
            scope: &self.scope,
            path: &found.name,
            hash: record.hash,
            generation: record.generation,
        };
        let messages: Vec<_> = batch
            .lines
            .iter()
            .map(|line| self.message_of(found, &identity, line))
            .collect();
        let refused = self.store(held, &messages).await?;
        for line in batch
            .lines
            .iter()
            .zip(&messages)
            .filter(|(_, message)| refused.contains(&message.id))
        {
            self.refuse_line(
                found,
                line.0.number,
                line.0.offset,
                line.0.bytes.len() as u64,
            );
        }
        for line in &batch.too_long {
            self.refuse_line(found, line.number, line.offset, line.len);
        }
        Ok(())
    }

    fn message_of(&self, found: &Found, identity: &Identity<'_>, line: &Line) -> NewMessage {
        let id = identity.of_line(line.offset, &line.bytes);
        let kind = self.glob.kind.clone();
        let mut message = NewMessage::new(id, IdOrigin::Given, kind, line.bytes.clone());
        name_file(&mut message, found);
        message
            .headers
            .insert("line_number", line.number.to_string());
        message
    }

    /// A line that no message can hold stays where it is, and the run says so at its end.
    fn refuse_line(&self, found: &Found, number: u64, offset: u64, len: u64) {
        tracing::error!(
            route = %self.route.name, file = %found.name, line = number, offset, bytes = len,
            "the line is greater than a body of the queue may be; it was not stored: raise body_max or split it"
        );
        self.status.add_refused(1);
    }

    /// Whether all of a file is stored, as far as the store remembers.
    pub(super) fn lines_are_stored(record: Option<&Record>, found: &Found) -> bool {
        match record {
            Some(record) => record.offset >= found.stat.len,
            None => found.stat.len == 0,
        }
    }
}

/// Whether a file is the one that is remembered: as long at least, and it begins the same.
fn is_same(record: &Record, head: &[u8], found: &Found) -> bool {
    found.stat.len >= record.offset
        && head.len() >= record.head_len
        && xxh3_128(&head[..record.head_len]) == record.head
}

fn read_head(found: &Found) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let file = crate::intake::open::reading(found)?;
    file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}
