//! `aggregates show`: the epochs of a key with their parts.

use std::num::NonZeroU32;

use longshore::core::{Content, EpochInfo, Part};
use serde::Serialize;

use super::list::table;
use super::walk::{Walk, existing, store_of};
use crate::args::AggregatesShowArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, Table, body_preview};
use crate::parse::rfc3339;
use crate::session::Session;
use crate::shape::{EpochRow, PartRow};

const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");
/// So much of a body is shown in a table.
const PREVIEW: usize = 60;

#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    epoch: EpochRow<'a>,
    parts_in_order: Vec<PartRow>,
}

pub(super) async fn perform(args: AggregatesShowArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let store = store_of(&connection)?;
    existing(store, &args.name).await?;
    let now = connection.clock().now();
    let mut walk = Walk::new(store, &args.name, Some(&args.key), &[], now);
    let mut epochs: Vec<(EpochInfo, Vec<Part>)> = Vec::new();
    while let Some(page) = walk.next().await? {
        for epoch in page {
            let mut parts = Vec::new();
            let mut after = None;
            loop {
                let page = store
                    .parts(&args.name, &epoch.key, epoch.epoch, after.as_ref(), PAGE)
                    .await?;
                parts.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            epochs.push((epoch, parts));
        }
    }
    if epochs.is_empty() {
        return Err(CliError::nothing_matched(format!(
            "the aggregate \"{}\" has no open or closed epoch of the key \"{}\"; what was released is \
             in its queue",
            args.name, args.key
        )));
    }
    if session.json() {
        let shown: Vec<_> = epochs
            .iter()
            .map(|(epoch, parts)| Shown {
                epoch: EpochRow::of(epoch),
                parts_in_order: parts.iter().map(PartRow::of).collect(),
            })
            .collect();
        Stdout::json(&shown)?;
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for (epoch, parts) in &epochs {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &table(std::slice::from_ref(epoch), now);
        text.push('\n');
        text += &parts_table(parts);
    }
    Stdout::text(&text)?;
    Ok(Exit::Done)
}

fn parts_table(parts: &[Part]) -> String {
    let mut table = Table::new(&["PART", "POSITION", "KIND", "BODY"]);
    for part in parts {
        let (position, kind, body) = match &part.content {
            Content::Intact(message) => (
                rfc3339(message.enqueued_at),
                message.kind.to_string(),
                body_preview(&message.body, PREVIEW),
            ),
            Content::Damaged { body, .. } => (
                "-".to_owned(),
                "damaged".to_owned(),
                body_preview(body, PREVIEW),
            ),
        };
        table.row([part.id().to_string(), position, kind, body]);
    }
    table.render()
}
