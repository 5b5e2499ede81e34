//! What people see: aggregates, epochs, parts.

use std::num::NonZeroU32;

use bytes::Bytes;
use longshore_core::wire::decode;
use longshore_core::{
    AggregateInfo, AggregateKey, Content, Cursor, Epoch, EpochInfo, EpochPlace, MessageId, Page,
    Part, PartPlace, Timestamp,
};
use rusqlite::{Connection, params};

use crate::aggregate::closed_row::{ClosedRow, WAITS, closed_columns};
use crate::aggregate::open_row::{OpenRow, open_columns};
use crate::aggregate::row::{AggregateRow, number};
use crate::aggregate::rules_row::RulesRead;
use crate::aggregate::turn::next;
use crate::error::Outcome;
use crate::rows::message::{message_id, time};

/// A page of parts ends early behind so many bytes of bodies.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// The aggregates behind a name.
pub(super) fn aggregates(
    conn: &Connection,
    after: &str,
    max: NonZeroU32,
) -> Outcome<Page<AggregateInfo>> {
    let mut rows = AggregateRow::behind(conn, after, i64::from(max.get()) + 1)?;
    let more = rows.len() > max.get() as usize;
    rows.truncate(max.get() as usize);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let mut info = row.counts;
        info.next = next(conn, row.number)?;
        items.push(info);
    }
    let last = items.last().filter(|_| more);
    let next = last.map(|info| Cursor::new(info.name.as_str()));
    Ok(Page { items, next })
}

/// The parts of an epoch that is open or waits for its release.
pub(super) fn parts(
    conn: &Connection,
    row: &AggregateRow,
    key: &AggregateKey,
    epoch: Epoch,
    after: Option<PartPlace>,
    max: NonZeroU32,
) -> Outcome<Page<Part>> {
    let is_open = OpenRow::find_epoch(conn, row.number, key, epoch)?.is_some();
    let waits = |one: &ClosedRow| one.state == WAITS && one.key == key.as_str();
    if !is_open && !ClosedRow::find(conn, row.number, epoch)?.is_some_and(|one| waits(&one)) {
        return Ok(Page::last(Vec::new()));
    }
    let mut statement = conn.prepare_cached(
        "SELECT position, id, head, body FROM part
         WHERE aggregate = ?1 AND epoch = ?2 AND (position, id) > (?3, ?4)
         ORDER BY position, id LIMIT ?5",
    )?;
    let position = after.map_or(i64::MIN, |after| after.position.as_millis());
    let id = after.map_or(Vec::new(), |after| after.id.as_uuid().as_bytes().to_vec());
    let wanted = i64::from(max.get()) + 1;
    let mut rows = statement.query(params![row.number, number(epoch), position, id, wanted])?;
    let mut page: Vec<(PartPlace, Part)> = Vec::new();
    let (mut bytes, mut more) = (0, false);
    while let Some(row) = rows.next()? {
        if page.len() == max.get() as usize || bytes >= PAGE_BYTES {
            more = true;
            break;
        }
        let place = PartPlace {
            position: time(row.get(0)?),
            id: message_id(row, 1)?,
        };
        let body = Bytes::from(row.get::<_, Vec<u8>>(3)?);
        bytes += body.len();
        page.push((
            place,
            read(place.id, row.get::<_, Vec<u8>>(2)?.into(), body),
        ));
    }
    let next = page
        .last()
        .filter(|_| more)
        .map(|(place, _)| place.cursor());
    let items = page.into_iter().map(|(_, part)| part).collect();
    Ok(Page { items, next })
}

fn read(id: MessageId, head: Bytes, body: Bytes) -> Part {
    Part::new(match decode(&head, body.clone()) {
        Ok(message) => Content::Intact(message),
        Err(_) => Content::Damaged { id, head, body },
    })
}

/// Open epochs by key, then closed ones by number.
pub(super) fn epochs(
    conn: &Connection,
    row: &AggregateRow,
    key: Option<&AggregateKey>,
    after: Option<&EpochPlace>,
    max: NonZeroU32,
    now: Timestamp,
) -> Outcome<Page<EpochInfo>> {
    let mut read = RulesRead::default();
    let wanted = max.get() as usize + 1;
    let mut page: Vec<(EpochPlace, EpochInfo)> = Vec::new();
    let key = key.map(AggregateKey::as_str);
    let behind = match after {
        None => Some(""),
        Some(EpochPlace::Open(key)) => Some(key.as_str()),
        Some(EpochPlace::Closed(_)) => None,
    };
    if let Some(behind) = behind {
        for open in open_behind(conn, row.number, key, behind, wanted)? {
            page.extend(open_info(conn, &mut read, &open)?);
        }
    }
    let behind = match after {
        Some(EpochPlace::Closed(epoch)) => number(*epoch),
        _ => -1,
    };
    if page.len() < wanted {
        for closed in closed_behind(conn, row.number, key, behind, wanted - page.len())? {
            let info = closed.info(read.get(conn, closed.rules)?, now);
            page.extend(info.map(|info| (EpochPlace::Closed(closed.was.epoch), info)));
        }
    }
    let more = page.len() == wanted;
    page.truncate(max.get() as usize);
    let next = page
        .last()
        .filter(|_| more)
        .map(|(place, _)| place.cursor());
    let items = page.into_iter().map(|(_, info)| info).collect();
    Ok(Page { items, next })
}

/// Open epochs behind a key; of one key, if one is named.
fn open_behind(
    conn: &Connection,
    aggregate: i64,
    key: Option<&str>,
    behind: &str,
    max: usize,
) -> Outcome<Vec<OpenRow>> {
    let mut statement = conn.prepare_cached(concat!(
        "SELECT ",
        open_columns!(),
        " FROM open_epoch WHERE aggregate = ?1 AND key > ?2 AND (?3 IS NULL OR key = ?3)
         ORDER BY key LIMIT ?4"
    ))?;
    let rows = statement.query_map(params![aggregate, behind, key, max as i64], OpenRow::of)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Closed epochs behind a number; of one key, if one is named.
fn closed_behind(
    conn: &Connection,
    aggregate: i64,
    key: Option<&str>,
    behind: i64,
    max: usize,
) -> Outcome<Vec<ClosedRow>> {
    let mut statement = conn.prepare_cached(concat!(
        "SELECT ",
        closed_columns!(),
        " FROM closed_epoch WHERE aggregate = ?1 AND epoch > ?2 AND state = ?3
           AND (?4 IS NULL OR key = ?4) ORDER BY epoch LIMIT ?5"
    ))?;
    let values = params![aggregate, behind, WAITS, key, max as i64];
    let rows = statement.query_map(values, ClosedRow::of)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn open_info(
    conn: &Connection,
    read: &mut RulesRead,
    open: &OpenRow,
) -> Outcome<Option<(EpochPlace, EpochInfo)>> {
    let rules = read.get(conn, open.rules)?;
    let Ok(key) = AggregateKey::new(&open.key) else {
        return Ok(None);
    };
    let info = EpochInfo::open(key.clone(), &open.state, rules);
    Ok(Some((EpochPlace::Open(key), info)))
}
