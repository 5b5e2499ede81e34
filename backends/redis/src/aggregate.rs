//! Aggregates: parts collected under keys.
//!
//! **Owns** the keys of the tag `{PREFIX/~NAME}`, one set for each aggregate, and the list of their
//! names. All of an aggregate lies in one slot of a cluster, so every call is one script. What becomes
//! of a part is decided by the script as the core decides it; the suite compares the two.
//!
//! **Invariant.** The numbers of an aggregate are those of its rows, changed in the same script. A part
//! is in one epoch, open or closed, and its body is kept until that is done. The time of an open epoch
//! in the index is never after the one at which it is due.
//!
//! **When a process is killed.** A script has run or it has not. What it had been handed out is handed
//! out again, under the same id, when its lease has ended. A failover undoes a suffix; epochs are never
//! less than the clock, so a number that was lost is not used again.

mod append;
mod list;
mod page;
mod turn;

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use longshore_core::validate::{check_count, check_lease, check_parts};
use longshore_core::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateStore, Appends, Changed,
    Cursor, Epoch, EpochChange, EpochInfo, EpochPlace, Fate, NewPart, Page, Part, PartPlace,
    Receipt, Result, Settled, Turn, Turned, Verdict,
};
use redis::cmd;

use crate::connection::call::Call;
use crate::scripts::Script;
use crate::store::RedisStore;
use crate::sync::locked;

/// The names that a handle knows to be listed; forgotten when there are more.
const NAMES_MAX: usize = 10_000;

/// The aggregates of a store.
#[derive(Debug)]
pub(crate) struct RedisAggregates {
    store: Arc<RedisStore>,
    /// Aggregates that this handle has seen to be listed.
    listed: Mutex<HashSet<AggregateName>>,
}

impl RedisAggregates {
    pub(crate) fn new(store: Arc<RedisStore>) -> Self {
        Self {
            store,
            listed: Mutex::default(),
        }
    }

    /// A call of a script on an aggregate, begun with the time.
    fn call(&self, operation: &'static str, script: &'static Script, name: &AggregateName) -> Call {
        let mut call = Call::new(operation, script, self.store.keys.aggregate(name));
        call.arg(self.store.time.argument());
        call
    }

    /// Lists an aggregate; once for each handle.
    async fn register(&self, name: &AggregateName) -> Result<()> {
        if locked(&self.listed).contains(name) {
            return Ok(());
        }
        let mut add = cmd("ZADD");
        add.arg(self.store.keys.aggregates())
            .arg(0)
            .arg(name.as_str());
        self.store.session.command("append", &add).await?;
        let mut listed = locked(&self.listed);
        if listed.len() >= NAMES_MAX {
            listed.clear();
        }
        listed.insert(name.clone());
        Ok(())
    }
}

#[async_trait]
impl AggregateStore for RedisAggregates {
    async fn append(
        &self,
        name: &AggregateName,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<Appends> {
        let rules = check_parts("append", rules.clone(), parts, &self.store.limits)?;
        self.register(name).await?;
        self.append_parts(name, &rules, parts).await
    }

    async fn turn(&self, name: &AggregateName, turn: Turn) -> Result<Turned> {
        check_lease("turn", turn.lease)?;
        check_count("turn", turn.max.get() as usize, &self.store.limits)?;
        self.take_turn(name, turn).await
    }

    async fn parts(
        &self,
        name: &AggregateName,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<Part>> {
        let after = after.map(PartPlace::of).transpose()?;
        self.page_parts(name, key, epoch, after, max).await
    }

    async fn answer(&self, name: &AggregateName, verdicts: &[Verdict]) -> Result<Vec<Settled>> {
        check_count("answer", verdicts.len(), &self.store.limits)?;
        self.answer_all(name, verdicts).await
    }

    async fn finish(
        &self,
        name: &AggregateName,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>> {
        check_count("finish", epochs.len(), &self.store.limits)?;
        self.finish_all(name, epochs).await
    }

    async fn list(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<AggregateInfo>> {
        self.page_aggregates(after, max).await
    }

    async fn epochs(
        &self,
        name: &AggregateName,
        key: Option<&AggregateKey>,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<EpochInfo>> {
        let after = after.map(EpochPlace::of).transpose()?;
        self.page_epochs(name, key, after.as_ref(), max).await
    }

    async fn change(
        &self,
        name: &AggregateName,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>> {
        check_count("change", epochs.len(), &self.store.limits)?;
        self.change_all(name, epochs).await
    }
}
