//! The proof that each message of a queue is in exactly one state.

use std::collections::BTreeMap;

use async_trait::async_trait;
use longshore_core::{Census, Finding, Fsck, QueueName, Result, Severity};

use crate::check::census::{Counted, Standing};
use crate::check::stray::{Strays, partitions};
use crate::store::CassandraStore;

#[async_trait]
impl Fsck for CassandraStore {
    async fn fsck(&self, queue: &QueueName, repair: bool) -> Result<Option<Census>> {
        let Some(def) = self.inner.catalog.get(queue).await? else {
            return Ok(None);
        };
        let rows = &*self.inner.owner.storage;
        let mut counted: BTreeMap<i32, Counted> = BTreeMap::new();
        for shard in 0..def.shards {
            let of_shard = counted.entry(shard).or_default();
            of_shard.count(rows, def.queue, shard, self.now()).await?;
        }
        let messages = partitions(self.link(), "message", def.queue, self.cell()).await?;
        let events = partitions(self.link(), "message_event", def.queue, self.cell()).await?;
        let strays = Strays::find(rows, &messages, &events, &counted).await?;
        let mut census = summed(&counted);
        if repair {
            census.repaired = strays.mend(rows).await?;
        }
        let of_rows = counted.values().flat_map(of_shard);
        census.findings = of_rows.chain(of_strays(&strays, repair)).collect();
        if census.findings.is_empty() {
            let found = "each message is in exactly one state";
            census
                .findings
                .push(Finding::new(Severity::Ok, "states", found));
        }
        Ok(Some(census))
    }
}

fn summed(counted: &BTreeMap<i32, Counted>) -> Census {
    let number = |standing| {
        let all = counted.values();
        all.map(|of| of.number_of(standing)).sum()
    };
    let mut census = Census::default();
    census.waiting = number(Standing::Waiting);
    census.delayed = number(Standing::Delayed);
    census.leased = number(Standing::Leased);
    census.dead = number(Standing::Dead);
    census.settled = counted.values().map(|of| of.settled).sum();
    census
}

fn of_shard(counted: &Counted) -> Vec<Finding> {
    use Severity::{Ok, Problem, Warning};
    let mut found = Vec::new();
    let mut add = |number: u64, severity, check: &str, words: String, fix: &str| {
        if number > 0 {
            found.push(Finding::new(severity, check, words).fix(fix));
        }
    };
    let (copies, damaged, newer) = (counted.copies, counted.damaged, counted.newer);
    let words = format!(
        "{copies} rows repeat a message that waits, as after a call that was repeated or a move \
         that was broken off; they end with it"
    );
    add(copies, Ok, "copies", words, "");
    let words = format!("{damaged} messages are damaged; a receive puts them to the dead letters");
    add(
        damaged,
        Warning,
        "damaged",
        words,
        "longshore dead list, once they were received",
    );
    let words = format!("{newer} messages are of a newer version");
    add(
        newer,
        Warning,
        "newer",
        words,
        "upgrade the workers of this queue",
    );
    let unreadable = counted.unreadable;
    let words = format!(
        "{unreadable} events about messages cannot be read: their messages are taken to be as \
         the events before say"
    );
    let fix = "upgrade if a newer version ran here; else rows are damaged: run `nodetool verify`";
    add(unreadable, Problem, "events", words, fix);
    let lost = counted.lost.len() as u64;
    let first = counted.lost.first().map(|(_, position)| position.id);
    let words = format!(
        "{lost} messages were delivered, are not done and have no row any more; the first is {}",
        first.unwrap_or_default()
    );
    let fix = "replicas lost what they had acknowledged: run `nodetool repair` on the keyspace \
               and fsck again; store again what does not come back";
    add(lost, Problem, "rows", words, fix);
    let crossed = counted.crossed;
    let words = format!("{crossed} streams are marked as deleted beyond what is closed");
    let fix = "the tables were changed by hand or restored in part; restore all of them together";
    add(crossed, Problem, "marks", words, fix);
    let words = "more than a million messages wait in one shard; repeats among the later ones \
                 were not looked for, and they are not counted";
    add(u64::from(counted.is_cut), Ok, "size", words.to_owned(), "");
    found
}

fn of_strays(strays: &Strays, is_mended: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mended = Severity::Ok;
    let (leftover, unlisted) = (strays.leftover.len(), strays.unlisted.len());
    if leftover > 0 {
        let words = "settled buckets still had rows, as after a deletion that was broken off";
        found.push(if is_mended {
            Finding::new(
                mended,
                "leftovers",
                format!("{leftover} {words}; they are deleted"),
            )
        } else {
            Finding::new(
                Severity::Warning,
                "leftovers",
                format!("{leftover} {words}"),
            )
            .fix("longshore fsck --repair")
        });
    }
    if unlisted > 0 {
        let words = "buckets with messages were not on the index, so that nobody delivered them";
        found.push(if is_mended {
            Finding::new(
                mended,
                "index",
                format!("{unlisted} {words}; they are listed now"),
            )
        } else {
            Finding::new(Severity::Problem, "index", format!("{unlisted} {words}"))
                .fix("longshore fsck --repair")
        });
    }
    if strays.late > 0 {
        let words = format!(
            "{} rows came to buckets after these were deleted; they belong to calls that were \
             never acknowledged, and nobody delivers them",
            strays.late
        );
        found.push(Finding::new(Severity::Warning, "late rows", words));
    }
    found
}
