//! Paging. A cursor is a letter for the call, then the place of the last item.

pub(crate) mod find;

use std::num::NonZeroU32;

use longshore_core::{Cursor, Page, QueueName, Result, StoreError, StoredMessage};
use rusqlite::{Connection, params};

use crate::clock::moment::Moment;
use crate::error::Outcome;
use crate::pages::find::{Seen, seen_columns};
use crate::rows::state::{BACKOFF, BEHIND, DEAD, DELAYED, LEASED, PARKED, READY, SET_ASIDE};

/// What a list walks through, one after the other. States in one slot are sorted together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    call: &'static str,
    letter: &'static str,
    slots: &'static [[i64; 2]],
    /// Whether it shows what a worker has; else of the leased ones only those whose lease ended.
    in_hands_too: bool,
}

/// Live messages: what is handed out next comes first.
pub(crate) const PEEK: Walk = Walk {
    call: "peek",
    letter: "p",
    slots: &[
        [READY, READY],
        [READY + 1, READY + 1],
        [READY + 2, READY + 2],
        [LEASED, LEASED],
        [SET_ASIDE, SET_ASIDE],
        [BACKOFF, BACKOFF],
        [BEHIND, BEHIND],
        [DELAYED, DELAYED],
    ],
    in_hands_too: true,
};

/// Dead letters, oldest first.
pub(crate) const DEAD_LETTERS: Walk = Walk {
    call: "dead_letters",
    letter: "d",
    slots: &[[PARKED, DEAD]],
    in_hands_too: false,
};

/// Everything but what a worker has: heads of groups before those behind them.
pub(crate) const EXPORT: Walk = Walk {
    call: "export",
    letter: "e",
    slots: &[
        [BACKOFF, BACKOFF],
        [SET_ASIDE, SET_ASIDE],
        // Those whose lease ended.
        [LEASED, LEASED],
        [READY, READY],
        [READY + 1, READY + 1],
        [READY + 2, READY + 2],
        // A delayed member that fell due has its place among those behind.
        [BEHIND, DELAYED],
        [PARKED, DEAD],
    ],
    in_hands_too: false,
};

/// Where a page ended: the slot, and the place in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct After {
    slot: usize,
    at: i64,
    seq: i64,
}

impl Walk {
    /// The place in a cursor of this call.
    pub(crate) fn after(self, cursor: Option<&Cursor>) -> Result<After> {
        let Some(cursor) = cursor else {
            return Ok(After {
                slot: 0,
                at: i64::MIN,
                seq: i64::MIN,
            });
        };
        self.read(cursor.as_str())
            .ok_or_else(|| malformed(self.call))
    }

    fn read(self, text: &str) -> Option<After> {
        let mut parts = text
            .strip_prefix(self.letter)?
            .strip_prefix(':')?
            .split(':');
        let after = After {
            slot: parts.next()?.parse().ok()?,
            at: parts.next()?.parse().ok()?,
            seq: parts.next()?.parse().ok()?,
        };
        (parts.next().is_none() && after.slot < self.slots.len()).then_some(after)
    }

    /// A page of this list.
    pub(crate) fn page(
        self,
        conn: &Connection,
        queue: i64,
        after: After,
        max: NonZeroU32,
        now: Moment,
    ) -> Outcome<Page<StoredMessage>> {
        let wanted = max.get() as usize + 1;
        let mut found: Vec<(usize, Seen)> = Vec::new();
        let mut after = after;
        while after.slot < self.slots.len() && found.len() < wanted {
            let left = wanted - found.len();
            let states = self.slots[after.slot];
            let until = if states[0] == LEASED && !self.in_hands_too {
                now.lease.as_millis()
            } else {
                i64::MAX
            };
            let rows = slot(conn, queue, states, until, after, left)?;
            found.extend(rows.into_iter().map(|seen| (after.slot, seen)));
            after = After {
                slot: after.slot + 1,
                at: i64::MIN,
                seq: i64::MIN,
            };
        }
        let more = found.len() == wanted;
        found.truncate(max.get() as usize);
        let next = found.last().filter(|_| more).map(|(slot, seen)| {
            let (at, seq) = (seen.row.at, seen.row.seq);
            Cursor::new(format!("{}:{slot}:{at}:{seq}", self.letter))
        });
        let items = found.into_iter().map(|(_, seen)| seen.view(conn, now));
        Ok(Page {
            items: items.collect::<Outcome<_>>()?,
            next,
        })
    }
}

fn slot(
    conn: &Connection,
    queue: i64,
    states: [i64; 2],
    until: i64,
    after: After,
    max: usize,
) -> Outcome<Vec<Seen>> {
    let mut statement = conn.prepare_cached(concat!(
        "SELECT ",
        seen_columns!(),
        " FROM message WHERE queue = ?1 AND state = ?2 AND at <= ?5 AND (at, seq) > (?3, ?4)
          ORDER BY at, seq LIMIT ?6"
    ))?;
    let mut list = |state: i64| -> Outcome<Vec<Seen>> {
        let params = params![queue, state, after.at, after.seq, until, max as i64];
        let rows = statement.query_map(params, Seen::of)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    let mut rows = list(states[0])?;
    if states[1] != states[0] {
        rows.extend(list(states[1])?);
        rows.sort_by_key(|seen| (seen.row.at, seen.row.seq));
        rows.truncate(max);
    }
    Ok(rows)
}

/// The name in a cursor of the list of queues.
pub(crate) fn queue_after(cursor: Option<&Cursor>) -> Result<String> {
    let Some(cursor) = cursor else {
        return Ok(String::new());
    };
    let name = cursor.as_str().strip_prefix("q:").unwrap_or_default();
    QueueName::new(name)
        .map(|name| name.as_str().to_owned())
        .map_err(|_| malformed("queues"))
}

/// The queues by name.
pub(crate) fn queues(conn: &Connection, after: &str, max: NonZeroU32) -> Outcome<Page<QueueName>> {
    let wanted = i64::from(max.get()) + 1;
    let mut statement =
        conn.prepare_cached("SELECT name FROM queue WHERE name > ?1 ORDER BY name LIMIT ?2")?;
    let names = statement.query_map(params![after, wanted], |row| row.get::<_, String>(0))?;
    let mut names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    let more = names.len() as i64 == wanted;
    names.truncate(max.get() as usize);
    let next = names.last().filter(|_| more);
    let next = next.map(|name| Cursor::new(format!("q:{name}")));
    // A name that is none was put there by something else and cannot be called anyway.
    let items = names.iter().filter_map(|name| QueueName::new(name).ok());
    Ok(Page {
        items: items.collect(),
        next,
    })
}

fn malformed(call: &'static str) -> StoreError {
    StoreError::invalid_input(
        call,
        "invalid cursor: not issued by this call; start again without one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_place_or_refused_fuzzed() {
        let samples = ["p:0:-9:8", "d:0:1:2", "e:7:1785488400000:3"];
        let samples = samples.map(|text| text.as_bytes().to_vec());
        longshore_fuzz::fuzz("sqlite-cursor", &samples, |input| {
            let cursor = Cursor::new(String::from_utf8_lossy(input));
            let read = [PEEK, DEAD_LETTERS, EXPORT].map(|walk| {
                let after = walk.after(Some(&cursor)).ok()?;
                let After { slot, at, seq } = after;
                assert!(slot < walk.slots.len());
                let text = format!("{}:{slot}:{at}:{seq}", walk.letter);
                let again = walk.read(&text).expect("a cursor of ours");
                assert_eq!((again.slot, again.at, again.seq), (slot, at, seq));
                Some(slot)
            });
            let queue = queue_after(Some(&cursor)).is_ok();
            format!("{read:?} {queue}")
        });
    }
}
