//! Reading rows where they lie, and what state they are in.

use std::collections::HashMap;

use bytes::Bytes;
use longshore_core::{
    DeadMark, DeadReason, MessageState, QueueName, Result, StoredMessage, Timestamp,
};

use crate::connection::reply::Reply;
use crate::layout::position::{Position, Section};
use crate::layout::receipt::entry_parts;
use crate::layout::row::{Meta, Row};
use crate::scripts;
use crate::store::{RedisStore, observe_time};

/// A run of entries that a segment holds, or that came back.
#[derive(Clone, Debug)]
struct Run {
    from: (u64, u64),
    from_open: bool,
    to: (u64, u64),
    to_open: bool,
    /// Deliveries to add to what the entry says.
    deliveries: u32,
    state: RunState,
}

#[derive(Clone, Copy, Debug)]
enum RunState {
    Leased(Timestamp),
    Returned,
}

/// What is known of a lane's entries up to its cursor.
#[derive(Debug, Default)]
struct Held {
    cursor: (u64, u64),
    runs: Vec<Run>,
}

/// Rows of one section, each with its key.
pub(crate) struct Rows {
    pub(crate) items: Vec<(Vec<u8>, StoredMessage)>,
    /// Where to read on; empty at the end.
    pub(crate) next: Vec<u8>,
}

impl RedisStore {
    /// Reads rows from a place on, or with `only` the one there.
    pub(crate) async fn rows(
        &self,
        operation: &'static str,
        queue: &QueueName,
        place: &Position,
        max: u32,
        only: bool,
    ) -> Result<Rows> {
        let mut call = self.call(operation, &scripts::PAGE, queue, place.partition);
        call.arg(place.section.letter())
            .arg(&place.key)
            .arg(max)
            .arg(if only { "only" } else { "" });
        let [now, next, cursor, segments, ends, returned, rows, beside] =
            self.session.run(&call).await?.fixed()?;
        let now = Timestamp::from_millis(observe_time(self, now)?);
        let next = next.bytes()?.to_vec();
        let held = match place.section {
            Section::Lane(lane) => Held::read(lane, now, cursor, segments, ends, returned)?,
            _ => Held::default(),
        };
        let mut beside = beside.list()?.into_iter();
        let mut read = Vec::new();
        for row in rows.list()? {
            read.push(match place.section {
                Section::Lane(_) | Section::Dead => stream_row(row)?,
                _ => packed_row(row)?,
            });
        }
        for (_, row) in &mut read {
            let checkpoint = beside.next().filter(|checkpoint| !checkpoint.is_nil());
            if let Some(checkpoint) = checkpoint {
                row.checkpoint = checkpoint.bytes()?;
            }
        }
        let all = read.iter_mut().map(|(_, row)| row);
        self.fill_bodies(operation, queue, place.partition, all)
            .await?;
        let items = read
            .into_iter()
            .map(|(key, row)| {
                let (state, deliveries) = state_of(place.section, &key, &row, &held, now);
                (key, row.view(state, deliveries))
            })
            .collect();
        Ok(Rows { items, next })
    }
}

fn state_of(
    section: Section,
    key: &[u8],
    row: &Row,
    held: &Held,
    now: Timestamp,
) -> (MessageState, u32) {
    match section {
        Section::Lane(_) => {
            let entry = std::str::from_utf8(key).ok().and_then(entry_parts);
            held.state(entry.unwrap_or_default())
        }
        Section::Backlog => (MessageState::Waiting, 0),
        // One of a newer version waits for a reader, and one that fell due for a receive.
        Section::Delayed | Section::DelayedHeads
            if row.meta.newer || row.meta.due.is_some_and(|due| due <= now.as_millis()) =>
        {
            (MessageState::Waiting, 0)
        }
        Section::Delayed | Section::DelayedHeads => (MessageState::Delayed, 0),
        Section::Dead => {
            let dead = row.dead.clone().unwrap_or_default();
            let reason = DeadReason::from_stored(&dead.reason).unwrap_or(DeadReason::Damaged);
            let error = (!dead.error.is_empty()).then_some(dead.error);
            let at = Timestamp::from_millis(dead.at);
            (
                MessageState::Dead(DeadMark::new(reason, error, at, dead.parks)),
                0,
            )
        }
    }
}

fn stream_row(row: Reply) -> Result<(Vec<u8>, Row)> {
    let [name, fields] = row.fixed()?;
    Ok((name.bytes()?.to_vec(), Row::of_fields(fields)?))
}

fn packed_row(row: Reply) -> Result<(Vec<u8>, Row)> {
    let [
        key,
        due,
        _lane,
        meta,
        history,
        checkpoint,
        head,
        body,
        _admitted,
        id,
    ] = row.fixed()?;
    let key = key.bytes()?.to_vec();
    let mut meta = Meta::read(&meta.bytes()?);
    meta.due = meta.due.or(due.optional_number()?);
    let row = Row {
        head: head.bytes()?,
        body: body.bytes()?,
        history: history.bytes()?,
        checkpoint: checkpoint.bytes()?,
        meta,
        id: id.bytes()?,
        dead: None,
    };
    Ok((key, row))
}

impl Held {
    fn read(
        lane: u8,
        now: Timestamp,
        cursor: Reply,
        segments: Reply,
        ends: Reply,
        returned: Reply,
    ) -> Result<Self> {
        let mut until: HashMap<Bytes, i64> = HashMap::new();
        let mut ends = ends.list()?.into_iter();
        while let (Some(segment), Some(end)) = (ends.next(), ends.next()) {
            until.insert(segment.bytes()?, end.number()?);
        }
        let mut runs = Vec::new();
        let mut segments = segments.list()?.into_iter();
        while let (Some(segment), Some(text)) = (segments.next(), segments.next()) {
            let segment = segment.bytes()?;
            if segment.ends_with(b"#") {
                continue;
            }
            let end = until.get(&segment).copied().map(Timestamp::from_millis);
            // One whose lease ended is in nobody's hands, whether or not a receive took note.
            let state = match end {
                Some(end) if end > now => RunState::Leased(end),
                Some(_) | None => RunState::Returned,
            };
            for run in text.text()?.trim_start_matches(['=', '/']).split(';') {
                runs.extend(read_run(run, lane, 1, state));
            }
        }
        for member in returned.list()? {
            let member = member.text()?;
            let Some((place, run)) = member.split_once(',') else {
                continue;
            };
            // A run that a segment still speaks for was told by that segment.
            if run.ends_with(',') {
                let lane_of = place.chars().next().unwrap_or('9');
                runs.extend(read_run(
                    &format!("{lane_of},{run}"),
                    lane,
                    0,
                    RunState::Returned,
                ));
            }
        }
        runs.sort_by_key(|run| run.from);
        let cursor = entry_parts(&cursor.text()?).unwrap_or_default();
        Ok(Self { cursor, runs })
    }

    fn state(&self, entry: (u64, u64)) -> (MessageState, u32) {
        if entry > self.cursor {
            return (MessageState::Waiting, 0);
        }
        let run = self.runs.iter().find(|run| run.holds(entry));
        match run {
            Some(run) => match run.state {
                RunState::Leased(until) => (MessageState::Leased { until }, run.deliveries),
                RunState::Returned => (MessageState::Waiting, run.deliveries),
            },
            None => (MessageState::Waiting, 0),
        }
    }
}

impl Run {
    fn holds(&self, entry: (u64, u64)) -> bool {
        let after = if self.from_open {
            entry > self.from
        } else {
            entry >= self.from
        };
        let before = if self.to_open {
            entry < self.to
        } else {
            entry <= self.to
        };
        after && before
    }
}

/// Reads `lane,from,to,base,flags`, if it is of this lane.
fn read_run(text: &str, lane: u8, charged: u32, state: RunState) -> Option<Run> {
    let mut parts = text.split(',');
    let of: u8 = parts.next()?.parse().ok()?;
    let (from, to) = (parts.next()?, parts.next()?);
    let base: u32 = parts.next()?.parse().ok()?;
    let name = |bound: &str| entry_parts(bound.trim_start_matches('('));
    (of == lane).then_some(Run {
        from: name(from)?,
        from_open: from.starts_with('('),
        to: name(to)?,
        to_open: to.starts_with('('),
        deliveries: base + charged,
        state,
    })
}
