//! Looking at messages: pages of queues, live messages, dead letters, everything, and single ones.
//!
//! **Owns** reading rows where they lie and telling their state ([`rows`]), and finding by id
//! ([`find`]). Cursors are positions of [`crate::layout`].
//!
//! **Invariant.** A page reads a bounded number of rows, section by section. A message that stays
//! in its section during the whole walk is seen once; one that moves on meanwhile may be missed or
//! seen twice.
//!
//! **When a process is killed.** Nothing is changed here.
//!
//! **Who writes.** Nobody.

pub(crate) mod find;
pub(crate) mod rows;

use std::num::NonZeroU32;

use longshore_core::{Cursor, MessageState, Page, QueueName, Result, StoredMessage};
use redis::cmd;

use crate::layout::position::{Position, Section, malformed};
use crate::store::RedisStore;

/// One script reads at most this many rows.
const ROWS_MAX: u32 = 500;

impl RedisStore {
    pub(crate) async fn page_queues(
        &self,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<QueueName>> {
        let from = match after {
            None => "-".to_owned(),
            Some(cursor) => {
                let name = cursor.as_str().strip_prefix("q:").unwrap_or_default();
                let name = QueueName::new(name).map_err(|_| malformed("queues"))?;
                format!("({name}")
            }
        };
        let mut ask = cmd("ZRANGE");
        ask.arg(self.keys.queues())
            .arg(from)
            .arg("+")
            .arg("BYLEX")
            .arg("LIMIT")
            .arg(0)
            .arg(u64::from(max.get()) + 1);
        let mut names = Vec::new();
        for name in self.session.command("queues", &ask).await?.list()? {
            // A name that is none is not ours.
            names.extend(QueueName::new(name.text()?));
        }
        let more = names.len() > max.get() as usize;
        names.truncate(max.get() as usize);
        let next = names
            .last()
            .filter(|_| more)
            .map(|name| Cursor::new(format!("q:{name}")));
        Ok(Page { items: names, next })
    }

    /// Live messages in queue order.
    pub(crate) async fn page_live(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let start = from(after, 'p', "peek", Section::LIVE[0])?;
        self.page(queue, start, &Section::LIVE, 'p', max, |_| true)
            .await
    }

    pub(crate) async fn page_dead(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let start = from(after, 'd', "dead_letters", Section::Dead)?;
        self.page(queue, start, &[Section::Dead], 'd', max, |_| true)
            .await
    }

    /// Everything but what a worker has, live ones first.
    pub(crate) async fn page_all(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let start = from(after, 'e', "export", Section::LIVE[0])?;
        let free = |item: &StoredMessage| !matches!(item.state, MessageState::Leased { .. });
        let dead = Position::start(Section::Dead);
        if start.section == Section::Dead {
            return self
                .page(queue, start, &[Section::Dead], 'e', max, free)
                .await;
        }
        let live = self
            .page(queue, start, &Section::LIVE, 'e', max, free)
            .await?;
        let room = NonZeroU32::new(max.get() - live.items.len() as u32);
        if live.next.is_some() {
            return Ok(live);
        }
        let mut items = live.items;
        let Some(room) = room else {
            // The dead ones are for the next page, if there are any.
            let probe = self.page(queue, dead, &[Section::Dead], 'e', NonZeroU32::MIN, free);
            let first = probe.await?.items.pop();
            let before_all = Position {
                key: b"0-0".to_vec(),
                ..Position::start(Section::Dead)
            };
            let next = first.map(|_| before_all.to_cursor('e'));
            return Ok(Page { items, next });
        };
        let page = self
            .page(queue, dead, &[Section::Dead], 'e', room, free)
            .await?;
        items.extend(page.items);
        Ok(Page {
            items,
            next: page.next,
        })
    }

    /// One page out of some sections of all partitions.
    async fn page(
        &self,
        queue: &QueueName,
        start: Position,
        sections: &[Section],
        call: char,
        max: NonZeroU32,
        wanted: impl Fn(&StoredMessage) -> bool + Send + Sync,
    ) -> Result<Page<StoredMessage>> {
        let max = max.get() as usize;
        let mut found: Vec<(Position, StoredMessage)> = Vec::new();
        let mut place = start;
        while found.len() <= max {
            let ask = ((max + 1 - found.len()) as u32).min(ROWS_MAX);
            let rows = self.rows("peek", queue, &place, ask, false).await?;
            for (key, item) in rows.items {
                if wanted(&item) {
                    found.push((
                        Position {
                            key,
                            ..place.clone()
                        },
                        item,
                    ));
                }
            }
            if !rows.next.is_empty() {
                place.key = rows.next;
            } else if let Some(next) = self.after_section(&place, sections) {
                place = next;
            } else {
                break;
            }
        }
        let more = found.len() > max;
        found.truncate(max);
        let next = found
            .last()
            .filter(|_| more)
            .map(|(place, _)| place.to_cursor(call));
        let items = found.into_iter().map(|(_, item)| item).collect();
        Ok(Page { items, next })
    }

    /// The start of the next section, of the next partition after the last.
    fn after_section(&self, place: &Position, sections: &[Section]) -> Option<Position> {
        let at = sections
            .iter()
            .position(|section| *section == place.section)?;
        let (partition, section) = match sections.get(at + 1) {
            Some(section) => (place.partition, *section),
            None if place.partition + 1 < self.partitions => (place.partition + 1, sections[0]),
            None => return None,
        };
        Some(Position {
            partition,
            section,
            key: Vec::new(),
        })
    }
}

fn from(
    after: Option<&Cursor>,
    call: char,
    operation: &'static str,
    first: Section,
) -> Result<Position> {
    after.map_or_else(
        || Ok(Position::start(first)),
        |cursor| Position::of_cursor(cursor, call, operation),
    )
}
