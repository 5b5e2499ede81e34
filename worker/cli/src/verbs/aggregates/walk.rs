//! A walk over the epochs of an aggregate that match.

use std::num::NonZeroU32;
use std::sync::Arc;

use longshore::core::{AggregateInfo, AggregateKey, AggregateStore, Cursor, EpochInfo, Timestamp};
use longshore::{AggregateName, Connection};

use crate::epoch_filter::EpochCondition;
use crate::error::{CliError, Result};

/// How many are read at a time.
const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");

/// The aggregates of a store.
pub(super) fn store_of(connection: &Connection) -> Result<&Arc<dyn AggregateStore>> {
    Ok(connection.backend().aggregates()?)
}

/// All aggregates by name.
pub(super) async fn all(store: &Arc<dyn AggregateStore>) -> Result<Vec<AggregateInfo>> {
    let mut infos = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(after.as_ref(), PAGE).await?;
        infos.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(infos);
        }
    }
}

/// Refuses the name of an aggregate that is not there.
pub(super) async fn existing(store: &Arc<dyn AggregateStore>, name: &AggregateName) -> Result<()> {
    let infos = all(store).await?;
    if infos.iter().any(|info| info.name == *name) {
        return Ok(());
    }
    let names = infos.iter().map(|info| info.name.as_str());
    let hint = match longshore::core::nearest(name.as_str(), names) {
        Some(near) => format!("did you mean {near}?"),
        None => "`longshore aggregates list` names those that are there".to_owned(),
    };
    Err(CliError::nothing_matched(format!(
        "there is no aggregate \"{name}\"; {hint}"
    )))
}

/// The walk at work.
pub(super) struct Walk<'a> {
    store: &'a Arc<dyn AggregateStore>,
    name: &'a AggregateName,
    key: Option<&'a AggregateKey>,
    conditions: &'a [EpochCondition],
    now: Timestamp,
    after: Option<Cursor>,
    ended: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        store: &'a Arc<dyn AggregateStore>,
        name: &'a AggregateName,
        key: Option<&'a AggregateKey>,
        conditions: &'a [EpochCondition],
        now: Timestamp,
    ) -> Self {
        Self {
            store,
            name,
            key,
            conditions,
            now,
            after: None,
            ended: false,
        }
    }

    /// The matching ones of the next page, perhaps none; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<EpochInfo>>> {
        if self.ended {
            return Ok(None);
        }
        let page = self
            .store
            .epochs(self.name, self.key, self.after.as_ref(), PAGE)
            .await?;
        self.ended = page.next.is_none();
        self.after = page.next;
        let takes = |epoch: &EpochInfo| {
            let mut conditions = self.conditions.iter();
            conditions.all(|condition| condition.takes(epoch, self.now))
        };
        Ok(Some(page.items.into_iter().filter(takes).collect()))
    }
}
