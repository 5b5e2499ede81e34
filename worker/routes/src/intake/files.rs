//! Feeding whole files.

use std::io::Read;
use std::time::Duration;

use longshore_core::{IdOrigin, NewMessage};
use xxhash_rust::xxh3::xxh3_128;

use crate::intake::feeding::{Feeding, Look, blocking, name_file};
use crate::intake::held::Held;
use crate::intake::identity::Identity;
use crate::intake::listing::Found;
use crate::intake::record::Record;
use crate::intake::seen::Seen;
use crate::intake::stop::Stop;

/// A file is taken once this process has seen it unchanged for this long: what is still being
/// written waits. The time that the file itself tells is no help: a copy may bring that of its
/// source, and the clock of a server may be late.
const SETTLED: Duration = Duration::from_secs(1);

impl Feeding {
    /// Feeds a file that is new at its path or holds something new.
    pub(super) async fn feed_file(
        &self,
        held: &mut Held,
        found: &Found,
        seen: &mut Seen,
    ) -> Result<Look, Stop> {
        let key = Record::key(&self.scope, &found.name);
        let before = held.load(&key).await?;
        if let Some(record) = before
            .as_ref()
            .filter(|record| record.stat == Some(found.stat))
        {
            return self.done_with(held, found, &key, record.clone()).await;
        }
        if seen.unchanged_for(found) < SETTLED {
            return Ok(Look::Waits);
        }
        let max = self.body_max().await?;
        if found.stat.len > max as u64 {
            self.refuse_file(found, seen);
            return Ok(Look::AtEnd);
        }
        let expected = found.stat.len;
        let content = match blocking(found, move |found| read_all(&found, expected)).await {
            Ok(Some(content)) => content,
            // It grew while it was read.
            Ok(None) => return Ok(Look::Waits),
            Err(reason) => return Ok(Look::Unreadable(reason)),
        };
        let hash = xxh3_128(&content);
        let record = match before {
            // It was only touched. What is deleted once stored and comes back is another thing.
            Some(record) if record.hash == hash && !self.deletes => record,
            before => {
                let record = Record::new(&found.name, before.as_ref(), hash);
                let message = self.message_of_file(found, &record, content);
                if !self.store(held, &[message]).await?.is_empty() {
                    self.refuse_file(found, seen);
                    return Ok(Look::AtEnd);
                }
                record
            }
        };
        self.done_with(held, found, &key, record).await
    }

    /// Remembers that a file is stored, and only then deletes it.
    async fn done_with(
        &self,
        held: &mut Held,
        found: &Found,
        key: &str,
        mut record: Record,
    ) -> Result<Look, Stop> {
        if record.stat != Some(found.stat) || record.day != self.today() {
            record.stat = Some(found.stat);
            self.save(held, key, &mut record).await?;
        }
        if !self.deletes {
            return Ok(Look::AtEnd);
        }
        let removed = blocking(found, |found| match std::fs::remove_file(found.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        });
        Ok(match removed.await {
            Ok(()) => Look::AtEnd,
            Err(reason) => Look::Unreadable(reason.replace("cannot be read", "cannot be deleted")),
        })
    }

    fn message_of_file(&self, found: &Found, record: &Record, content: Vec<u8>) -> NewMessage {
        let identity = Identity {
            scope: &self.scope,
            path: &found.name,
            hash: record.hash,
            generation: record.generation,
        };
        let kind = self.glob.kind.clone();
        let mut message = NewMessage::new(identity.of_file(), IdOrigin::Given, kind, content);
        name_file(&mut message, found);
        message
    }

    /// A file that no message can hold stays where it is, and the run says so at its end.
    fn refuse_file(&self, found: &Found, seen: &mut Seen) {
        if seen.refused {
            return;
        }
        seen.refused = true;
        tracing::error!(
            route = %self.route.name, file = %found.name, bytes = found.stat.len,
            "the file is greater than a body of the queue may be; it was not stored: raise body_max or split it"
        );
        self.status.add_refused(1);
    }

    /// Whether a file is stored, as far as the store remembers.
    pub(super) fn file_is_stored(record: Option<&Record>, found: &Found) -> bool {
        record.is_some_and(|record| record.stat == Some(found.stat))
    }
}

/// The whole file, unless its length is not what was expected.
fn read_all(found: &Found, expected: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    let file = crate::intake::open::reading(found)?;
    file.take(expected + 1).read_to_end(&mut content)?;
    Ok((content.len() as u64 == expected).then_some(content))
}
