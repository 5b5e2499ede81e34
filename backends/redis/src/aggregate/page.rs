//! Pages of epochs and of parts.

use std::num::NonZeroU32;

use bytes::Bytes;
use longshore_core::wire::decode;
use longshore_core::{
    AggregateKey, AggregateName, Content, Epoch, EpochInfo, EpochPlace, MessageId, Page, Part,
    PartPlace, Result, Timestamp,
};
use uuid::Uuid;

use crate::aggregate::RedisAggregates;
use crate::aggregate::append::digits;
use crate::aggregate::turn::{
    ClosedRow, RulesNamed, named, read_key, read_numbers, read_rules, time,
};
use crate::connection::reply::Reply;
use crate::error::unexpected_reply;
use crate::scripts;

/// A page of parts ends early behind so many bytes.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

impl RedisAggregates {
    pub(super) async fn page_parts(
        &self,
        name: &AggregateName,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<PartPlace>,
        max: NonZeroU32,
    ) -> Result<Page<Part>> {
        let mut call = self.call("parts", &scripts::AGGREGATE_READ, name);
        let after = after.map_or(Vec::new(), |after| {
            [
                digits(after.position).as_bytes(),
                after.id.as_uuid().as_bytes(),
            ]
            .concat()
        });
        call.arg("parts").arg(key.as_str()).arg(epoch.number());
        call.arg(after).arg(max.get()).arg(PAGE_BYTES);
        let reply = self.store.session.run(&call).await?;
        let [_, rows, more] = reply.fixed()?;
        let mut page = Vec::new();
        for row in rows.list()? {
            let [place, kept] = row.fixed()?;
            let place = read_place(&place.bytes()?)?;
            page.push((place, read_part(place.id, &kept.bytes()?)));
        }
        let more = more.number()? == 1;
        let next = page
            .last()
            .filter(|_| more)
            .map(|(place, _)| place.cursor());
        let items = page.into_iter().map(|(_, part)| part).collect();
        Ok(Page { items, next })
    }

    pub(super) async fn page_epochs(
        &self,
        name: &AggregateName,
        key: Option<&AggregateKey>,
        after: Option<&EpochPlace>,
        max: NonZeroU32,
    ) -> Result<Page<EpochInfo>> {
        let wanted = max.get() as usize + 1;
        let mut page: Vec<(EpochPlace, EpochInfo)> = Vec::new();
        let behind = match after {
            None => Some(""),
            Some(EpochPlace::Open(key)) => Some(key.as_str()),
            Some(EpochPlace::Closed(_)) => None,
        };
        if let Some(behind) = behind {
            let (_, rows, rules) = self.some_epochs("open", name, key, behind, wanted).await?;
            for row in rows {
                page.push(read_open(row, &rules)?);
            }
        }
        if page.len() < wanted {
            let behind = match after {
                Some(EpochPlace::Closed(epoch)) => epoch.to_string(),
                _ => String::new(),
            };
            let left = wanted - page.len();
            let (now, rows, rules) = self.some_epochs("closed", name, key, &behind, left).await?;
            for row in rows {
                let info = ClosedRow::read(row, &rules, now)?.info;
                page.push((EpochPlace::Closed(info.epoch), info));
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

    async fn some_epochs(
        &self,
        verb: &'static str,
        name: &AggregateName,
        key: Option<&AggregateKey>,
        behind: &str,
        max: usize,
    ) -> Result<(Timestamp, Vec<Reply>, RulesNamed)> {
        let mut call = self.call("epochs", &scripts::AGGREGATE_READ, name);
        call.arg(verb).arg(key.map_or("", AggregateKey::as_str));
        call.arg(behind).arg(max);
        let reply = self.store.session.run(&call).await?;
        let [now, rows, rules] = reply.fixed()?;
        Ok((time(now)?, rows.list()?, read_rules(rules)?))
    }
}

fn read_open(row: Reply, rules: &RulesNamed) -> Result<(EpochPlace, EpochInfo)> {
    let [epoch, key, of, parts, bytes, opened, last] = row.fixed()?;
    let open = read_numbers([epoch, parts, bytes, opened, last])?;
    let info = EpochInfo::open(read_key(key)?, &open, named(rules, &of.text()?)?);
    Ok((EpochPlace::Open(info.key.clone()), info))
}

/// Sixteen digits of the position, then the id.
fn read_place(bytes: &[u8]) -> Result<PartPlace> {
    let read = bytes.split_first_chunk::<16>().and_then(|(digits, id)| {
        let position = std::str::from_utf8(digits).ok()?.parse().ok()?;
        Some(PartPlace {
            position: Timestamp::from_millis(position),
            id: MessageId::from_uuid(Uuid::from_slice(id).ok()?),
        })
    });
    read.ok_or_else(|| unexpected_reply("parts", "the place of a part was expected"))
}

/// Eight digits for the length of the head, then head and body.
fn read_part(id: MessageId, kept: &Bytes) -> Part {
    let digits = kept
        .get(..8)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    let length: usize = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let rest = kept.slice(kept.len().min(8)..);
    let length = length.min(rest.len());
    let (head, body) = (rest.slice(..length), rest.slice(length..));
    Part::new(match decode(&head, body.clone()) {
        Ok(message) => Content::Intact(message),
        Err(_) => Content::Damaged { id, head, body },
    })
}
