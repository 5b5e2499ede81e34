//! `dead list --group-by`: how many are alike.

use std::collections::HashMap;

use longshore::core::{MessageId, StoredMessage};
use serde::Serialize;

use super::fingerprint::fingerprint;
use super::walk::Walk;
use crate::args::{DeadListArgs, GroupBy};
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, Table, counted, escape};
use crate::parse::rfc3339;
use crate::session::{Session, existing};

/// More groups than this are not told apart: what is left over is counted together.
const GROUPS_MAX: usize = 10_000;

/// Dead letters that are alike.
#[derive(Debug, Serialize)]
struct Group {
    /// What they have in common, as the first of them says it.
    #[serde(flatten)]
    common: Common,
    /// How many there are.
    count: u64,
    /// When the first and the last of them died.
    first_dead_at: Option<String>,
    last_dead_at: Option<String>,
    /// One of them.
    example: MessageId,
}

/// The field they are counted by, under its own name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Common {
    Error(Option<String>),
    Reason(Option<String>),
    Kind(Option<String>),
    Label(Option<String>),
}

impl Common {
    fn of(by: GroupBy, stored: &StoredMessage) -> Self {
        let last = || stored.history.last().map(|last| &last.record);
        match by {
            GroupBy::Error => Self::Error(
                stored
                    .dead()
                    .and_then(|mark| mark.error.clone())
                    .or_else(|| last().map(|record| record.error.clone())),
            ),
            GroupBy::Reason => {
                Self::Reason(stored.dead().map(|mark| mark.reason.as_str().to_owned()))
            }
            GroupBy::Kind => Self::Kind(stored.kind().map(ToString::to_string)),
            GroupBy::Label => Self::Label(last().map(|record| record.label.to_string())),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Error(text) | Self::Reason(text) | Self::Kind(text) | Self::Label(text) => {
                text.as_deref()
            }
        }
    }

    /// What two of a group share.
    fn key(&self) -> Option<String> {
        match self {
            Self::Error(error) => error.as_deref().map(fingerprint),
            _ => self.text().map(str::to_owned),
        }
    }
}

pub(super) async fn perform(args: DeadListArgs, by: GroupBy, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    existing(backend, &args.queue).await?;
    let now = connection.clock().now();
    let mut walk = Walk::over(backend, &args.queue, &args.conditions, now);
    let mut groups: HashMap<Option<String>, Group> = HashMap::new();
    let mut left_over = 0_u64;
    while let Some(found) = walk.next().await? {
        for stored in found {
            let common = Common::of(by, &stored);
            let key = common.key();
            if groups.len() >= GROUPS_MAX && !groups.contains_key(&key) {
                left_over += 1;
                continue;
            }
            let dead_at = stored.dead().map(|mark| rfc3339(mark.dead_at));
            let group = groups.entry(key).or_insert_with(|| Group {
                common,
                count: 0,
                first_dead_at: dead_at.clone(),
                last_dead_at: None,
                example: stored.id(),
            });
            group.count += 1;
            group.last_dead_at = dead_at;
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.example));
    let hidden = groups.len().saturating_sub(args.limit.get() as usize);
    groups.truncate(args.limit.get() as usize);
    if session.json() {
        Stdout::json(&groups)?;
    } else {
        Stdout::text(&table(by, &groups))?;
    }
    if hidden > 0 || left_over > 0 {
        session.note(format_args!(
            "{} not shown; --limit shows more",
            counted(hidden as u64, "more group")
        ));
    }
    Ok(Exit::Done)
}

fn table(by: GroupBy, groups: &[Group]) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let head = match by {
        GroupBy::Error => "ERROR",
        GroupBy::Reason => "REASON",
        GroupBy::Kind => "KIND",
        GroupBy::Label => "LABEL",
    };
    let mut table = Table::new(&["#COUNT", "LAST", "EXAMPLE", head]);
    for group in groups {
        table.row([
            group.count.to_string(),
            group.last_dead_at.clone().unwrap_or_default(),
            group.example.to_string(),
            escape::cut(group.common.text().unwrap_or("(none)"), 100),
        ]);
    }
    table.render()
}
