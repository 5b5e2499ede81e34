//! Dedup keys: one lightweight transaction each, on the key's own partition.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Dedup, GroupName, Message, MessageId, NewMessage, Result, Timestamp};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::cql::queue_catalog::{contended, is_unsettled};
use crate::cql::session::Link;

/// How often a claim that was overtaken is tried.
const TRIES: usize = 50;

/// How long to wait for the process that claimed the key and did not store its message yet. Longer
/// is taken for a crash, and the key is claimed again.
const UNSTORED_MAX: Duration = Duration::from_secs(2);

/// A row is kept for so long after its window: the window itself is a stored time.
const KEPT_S: u64 = 86_400;

/// Rows that are wanted for longer than this have no time of their own.
const TTL_MAX_S: u64 = 5 * 365 * 86_400;

/// The keys of a cell.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) link: Arc<Link>,
    pub(crate) cell: i16,
}

/// A key in its scope, and the message that wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    queue: Uuid,
    scope: Vec<u8>,
    id: Uuid,
    window: Duration,
}

impl Claim {
    fn of(queue: Uuid, group: Option<&GroupName>, dedup: &Dedup, id: MessageId) -> Self {
        Self {
            queue,
            scope: scope(group, dedup),
            id: id.as_uuid(),
            window: dedup.window,
        }
    }

    /// What a new message claims.
    pub(crate) fn of_new(queue: Uuid, new: &NewMessage) -> Option<Self> {
        let dedup = new.dedup.as_ref()?;
        Some(Self::of(queue, new.group.as_ref(), dedup, new.id))
    }

    /// What a stored message claimed.
    pub(crate) fn of_stored(queue: Uuid, message: &Message) -> Option<Self> {
        let dedup = message.dedup.as_ref()?;
        Some(Self::of(queue, message.group.as_ref(), dedup, message.id))
    }

    fn ttl(&self) -> i32 {
        let seconds = self.window.as_secs().saturating_add(KEPT_S);
        if seconds > TTL_MAX_S {
            // The server refuses times that end after 2038: such a row is kept.
            return 0;
        }
        seconds as i32
    }
}

/// The scope of a key within its queue: the group, and the key.
pub(crate) fn scope(group: Option<&GroupName>, dedup: &Dedup) -> Vec<u8> {
    let group = group.map_or("", GroupName::as_str);
    let mut scope = (group.len() as u16).to_be_bytes().to_vec();
    scope.extend(group.as_bytes());
    scope.extend(dedup.key.as_str().as_bytes());
    scope
}

type Columns = (Option<Uuid>, Option<i64>, Option<i64>);

/// What came of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// The key is that of the message now, since the time that its row says.
    Ours { since_ms: i64 },
    /// The key is that of a message that is stored, which may be this one.
    Taken { first: Uuid },
    /// The key is that of a message of which nobody has said for long that it is stored.
    Silent { first: Uuid, since_ms: i64 },
}

impl Keys {
    /// Claims a key for its window from `since` on. The process that has it and did not say that
    /// its message is stored is waited for, unless that is known to be `gone`.
    pub(crate) async fn claim(
        &self,
        claim: &Claim,
        since: Timestamp,
        now: Timestamp,
        gone: Option<Uuid>,
    ) -> Result<Claimed> {
        let until = since.plus(claim.window).as_millis();
        let (queue, scope) = (claim.queue, &claim.scope[..]);
        let ours = Claimed::Ours {
            since_ms: since.as_millis(),
        };
        let statements = &self.link.statements;
        let began = Instant::now();
        for _ in 0..TRIES {
            let values = (
                queue,
                self.cell,
                scope,
                claim.id,
                until,
                since.as_millis(),
                claim.ttl(),
            );
            if self.settled(&statements.claim_key, values).await? {
                return Ok(ours);
            }
            let Some((first, known_until, since_ms)) = self.holder(claim).await? else {
                sleep(Duration::from_millis(fastrand::u64(5..50))).await;
                continue;
            };
            if known_until > now.as_millis() {
                let taken = Claimed::Taken { first };
                if self.is_stored(claim, first, since_ms).await? {
                    return Ok(taken);
                }
                if first == claim.id {
                    return Ok(Claimed::Ours { since_ms });
                }
                if gone != Some(first) {
                    if began.elapsed() >= UNSTORED_MAX {
                        return Ok(Claimed::Silent { first, since_ms });
                    }
                    sleep(Duration::from_millis(40)).await;
                    continue;
                }
            }
            let values = (
                claim.ttl(),
                claim.id,
                until,
                since.as_millis(),
                queue,
                self.cell,
                scope,
                first,
                known_until,
            );
            if self.settled(&statements.take_key, values).await? {
                return Ok(ours);
            }
        }
        Err(contended())
    }

    async fn settled(
        &self,
        statement: &scylla::statement::prepared::PreparedStatement,
        values: impl scylla::serialize::row::SerializeRow + Send + Sync,
    ) -> Result<bool> {
        match self.link.transact("enqueue", statement, values).await {
            Err(error) if is_unsettled(&error) => Ok(false),
            other => other,
        }
    }

    /// Which message has a key, until and since when; nothing if that is not to be known now.
    async fn holder(&self, claim: &Claim) -> Result<Option<(Uuid, i64, i64)>> {
        let values = (claim.queue, self.cell, &claim.scope[..]);
        let statement = &self.link.statements.key;
        let row = self.link.one::<Columns>("enqueue", statement, values);
        match row.await {
            Err(error) if is_unsettled(&error) => Ok(None),
            row => Ok(row?.and_then(|(first, until, since)| Some((first?, until?, since?)))),
        }
    }

    /// Whether a key that was claimed some time ago is still that of its message; if not, whose it
    /// is now.
    pub(crate) async fn check(&self, claim: &Claim) -> Result<Option<Uuid>> {
        for _ in 0..TRIES {
            if let Some((first, ..)) = self.holder(claim).await? {
                return Ok((first != claim.id).then_some(first));
            }
            sleep(Duration::from_millis(fastrand::u64(5..50))).await;
        }
        Err(contended())
    }

    /// Whether it was said that the message that has a key since then is stored. It may have had
    /// the key before, too.
    async fn is_stored(&self, claim: &Claim, first: Uuid, since_ms: i64) -> Result<bool> {
        let values = (claim.queue, self.cell, &claim.scope[..], first);
        let statement = &self.link.statements.key_stored_since;
        let row: Option<(Option<i64>,)> = self.link.one("enqueue", statement, values).await?;
        Ok(row == Some((Some(since_ms),)))
    }

    /// Says that the message that has a key since then is stored: others need not wait for it.
    pub(crate) async fn stored(&self, claim: &Claim, since_ms: i64) -> Result<()> {
        self.stored_as(claim, claim.id, since_ms).await
    }

    /// The same of another message that has the key of a claim.
    pub(crate) async fn stored_as(&self, claim: &Claim, first: Uuid, since_ms: i64) -> Result<()> {
        let values = (
            claim.queue,
            self.cell,
            &claim.scope[..],
            first,
            since_ms,
            claim.ttl(),
        );
        let statement = &self.link.statements.key_stored;
        self.link.run("enqueue", statement, values).await
    }

    /// Forgets the key of a message that was removed, unless another has it by now.
    pub(crate) async fn forget(&self, claim: &Claim) -> Result<()> {
        let values = (claim.queue, self.cell, &claim.scope[..], claim.id);
        let statement = &self.link.statements.forget_key;
        for _ in 0..TRIES {
            match self.link.transact("cancel", statement, values).await {
                Err(error) if is_unsettled(&error) => {}
                other => return other.map(drop),
            }
        }
        Err(contended())
    }
}
