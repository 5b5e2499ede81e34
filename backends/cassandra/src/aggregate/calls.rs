//! Calls on an aggregate, cut up by its shards.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use longshore_core::wire::encode;
use longshore_core::{
    AggregateKey, AggregateRules, Appended, Appends, Changed, ClosedEpoch, Effect, Epoch,
    EpochChange, EpochState, Fate, Home, NewPart, PartHead, Receipt, Result, Settled, StoreError,
    StoreErrorKind, Timestamp, Turn, Turned, Verdict,
};

use crate::aggregate::homes::Homes;
use crate::aggregate::record::{Command, ReceiptBytes};
use crate::aggregate::replica::Reply;
use crate::aggregate::sharded::Sharded;
use crate::aggregate::storage::PartRow;
use crate::aggregate::waiting::{BYTES_MAX, PARTS_MAX};

impl Sharded {
    /// Stores parts; one outcome for each, in order.
    pub(super) async fn append(
        self: &Arc<Self>,
        homes: &Homes,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<Appends> {
        let place = |part: &NewPart| {
            let home = match rules.home {
                Home::Local => self.here,
                _ => homes.of(&part.key),
            };
            Some((self.of_key(&part.key), home))
        };
        let mut pieces = Vec::new();
        for ((shard, home), indexes) in grouped(parts, place) {
            let mut piece = Piece::default();
            for index in indexes {
                let part = &parts[index];
                let message = part.message.stored_at(part.position, None);
                let row = PartRow {
                    head: encode(&message).into(),
                    body: message.body,
                };
                if piece.is_full(&row) {
                    pieces.push((shard, home, std::mem::take(&mut piece)));
                }
                piece.add(index, PartHead::from(part), row);
            }
            pieces.push((shard, home, piece));
        }
        // They wait in the order in which they are polled first: that of the call.
        let calls = pieces.into_iter().map(|(shard, home, piece)| async move {
            let (rules, heads) = (rules.clone(), piece.heads);
            let command = if home == self.here {
                Command::Append(rules, heads)
            } else {
                Command::Forward {
                    to: home,
                    rules,
                    parts: heads,
                }
            };
            let reply = self.shards[shard].submit(command, piece.rows).await?;
            match reply {
                Reply::Appended(appends) => Ok((piece.indexes, appends)),
                // Whether their ids are known finds out the cell that takes them.
                Reply::Noted => {
                    let stored = vec![Appended::Stored; piece.indexes.len()];
                    Ok((piece.indexes, Appends::new(stored, false, None)))
                }
                other => Err(unexpected(&other)),
            }
        });
        let mut outcomes = vec![Appended::Duplicate; parts.len()];
        let mut answer = Appends::default();
        for (indexes, appends) in all_or_unknown(join_all(calls).await)? {
            for (index, outcome) in indexes.into_iter().zip(appends.outcomes) {
                outcomes[index] = outcome;
            }
            answer.is_ready |= appends.is_ready;
            answer.next = least(answer.next, appends.next);
        }
        answer.outcomes = outcomes;
        Ok(answer)
    }

    /// Closes what is due and hands out. Shards in which nothing is due are only looked at.
    pub(super) async fn turn(self: &Arc<Self>, turn: Turn, now: Timestamp) -> Result<Turned> {
        let max = turn.max.get() as usize;
        let looks = self.shards.iter().map(|shard| {
            shard.look(|replica| {
                let state = &replica.state;
                (state.next(), state.due(replica.time(now), max))
            })
        });
        let mut looks: Vec<_> = self.shards.iter().zip(try_join_all(looks).await?).collect();
        looks.sort_by_key(|(_, (next, _))| *next);
        let (mut turned, mut left) = (Turned::default(), turn.max.get());
        let mut turns = Vec::new();
        for (shard, (next, due)) in looks {
            let share = left.min(u32::try_from(due).unwrap_or(u32::MAX));
            left -= share;
            if let Some(max) = NonZeroU32::new(share) {
                let command = Command::Turn(Turn { max, ..turn });
                turns.push(shard.submit(command, Vec::new()));
            } else {
                turned.more |= due > 0;
                turned.next = least(turned.next, next);
            }
        }
        self.merge(&mut turned, join_all(turns).await)?;
        Ok(turned)
    }

    /// Adds what shards handed out. That stands, whatever became of the others: what a shard handed
    /// out that failed is handed out again when its lease ends.
    fn merge(&self, turned: &mut Turned, replies: Vec<Result<Reply>>) -> Result<()> {
        let is_merged = replies.len() > 1;
        let some_done = replies.iter().any(Result::is_ok);
        for reply in replies {
            match reply {
                Ok(Reply::Turned(of_shard)) => {
                    turned.closed.extend(of_shard.closed);
                    turned.questions.extend(of_shard.questions);
                    turned.more |= of_shard.more;
                    turned.next = least(turned.next, of_shard.next);
                }
                Ok(other) => return Err(unexpected(&other)),
                Err(error) if !some_done => return Err(error),
                Err(error) => {
                    tracing::debug!(aggregate = %self.name, %error, "a shard took no turn");
                    turned.more = true;
                }
            }
        }
        if is_merged {
            turned.closed.sort_by_key(closed_at);
        }
        Ok(())
    }

    pub(super) async fn answer(self: &Arc<Self>, verdicts: &[Verdict]) -> Result<Vec<Settled>> {
        let shard = |verdict: &Verdict| Some(self.of_key(&verdict.key));
        let command =
            |verdicts: Vec<&Verdict>| Command::Answer(verdicts.into_iter().cloned().collect());
        let none = Settled::LeaseLost;
        self.each(verdicts, shard, command, none, settled).await
    }

    pub(super) async fn finish(
        self: &Arc<Self>,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>> {
        let shard = |(receipt, _): &(Receipt, Fate)| {
            Epoch::of_receipt(receipt).map(|epoch| self.of_epoch(epoch))
        };
        let command = |epochs: Vec<&(Receipt, Fate)>| {
            let epochs = epochs.into_iter();
            Command::Finish(
                epochs
                    .map(|(receipt, fate)| (ReceiptBytes::from(receipt), *fate))
                    .collect(),
            )
        };
        let none = Settled::LeaseLost;
        self.each(epochs, shard, command, none, settled).await
    }

    pub(super) async fn change(
        self: &Arc<Self>,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>> {
        let shard = |(key, ..): &(AggregateKey, Epoch, EpochChange)| Some(self.of_key(key));
        let command = |epochs: Vec<&(AggregateKey, Epoch, EpochChange)>| {
            Command::Change(epochs.into_iter().cloned().collect())
        };
        let changed = |reply| match reply {
            Reply::Changed(changed) => Ok(changed),
            other => Err(unexpected(&other)),
        };
        let none = Changed::NotFound;
        self.each(epochs, shard, command, none, changed).await
    }

    /// Makes one call of each shard that items belong to; `none` is the outcome of those that belong
    /// to no shard.
    async fn each<T, O: Copy>(
        self: &Arc<Self>,
        items: &[T],
        shard: impl Fn(&T) -> Option<usize>,
        command: impl Fn(Vec<&T>) -> Command,
        none: O,
        read: impl Fn(Reply) -> Result<Vec<O>>,
    ) -> Result<Vec<O>> {
        let calls = grouped(items, shard).into_iter();
        let calls = calls.map(|(shard, indexes)| {
            let of_shard = indexes.iter().map(|index| &items[*index]).collect();
            let call = self.shards[shard].submit(command(of_shard), Vec::new());
            async move { Ok((indexes, call.await?)) }
        });
        let mut outcomes = vec![none; items.len()];
        for (indexes, reply) in all_or_unknown(join_all(calls).await)? {
            for (index, outcome) in indexes.into_iter().zip(read(reply)?) {
                outcomes[index] = outcome;
            }
        }
        Ok(outcomes)
    }
}

/// Indexes of items by their place, each in order.
fn grouped<T, K: Ord>(items: &[T], place: impl Fn(&T) -> Option<K>) -> BTreeMap<K, Vec<usize>> {
    let mut places: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(place) = place(item) {
            places.entry(place).or_default().push(index);
        }
    }
    places
}

/// Parts of one call that go to one shard in one record.
#[derive(Default)]
struct Piece {
    indexes: Vec<usize>,
    heads: Vec<PartHead>,
    rows: Vec<PartRow>,
    bytes: usize,
}

impl Piece {
    fn is_full(&self, next: &PartRow) -> bool {
        let is_many = self.rows.len() == PARTS_MAX;
        is_many || (!self.rows.is_empty() && self.bytes + next.len() > BYTES_MAX)
    }

    fn add(&mut self, index: usize, head: PartHead, row: PartRow) {
        self.bytes += row.len();
        self.indexes.push(index);
        self.heads.push(head);
        self.rows.push(row);
    }
}

/// All answers. The error of one is unknown where any of them may have had an effect.
fn all_or_unknown<T>(answers: Vec<Result<T>>) -> Result<Vec<T>> {
    let may_be_done = answers.iter().any(|answer| match answer {
        Ok(_) => true,
        Err(error) => error.effect() == Effect::Unknown,
    });
    let all: Result<Vec<T>> = answers.into_iter().collect();
    all.map_err(|error| {
        if may_be_done {
            error.effect_unknown()
        } else {
            error
        }
    })
}

fn settled(reply: Reply) -> Result<Vec<Settled>> {
    match reply {
        Reply::Settled(settled) => Ok(settled),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(reply: &Reply) -> StoreError {
    let said = format!("a record of an aggregate answered {reply:?}");
    StoreError::new(StoreErrorKind::Unexpected, "aggregate", said).effect_unknown()
}

fn closed_at(closed: &ClosedEpoch) -> (Timestamp, Epoch) {
    let at = match closed.info.state {
        EpochState::Closed { at, .. } => at,
        _ => Timestamp::EPOCH,
    };
    (at, closed.info.epoch)
}

/// The least of two times that may be none.
pub(super) fn least(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_unknown_where_any_shard_may_have_had_an_effect() {
        let refused = || Err(StoreError::invalid_input("append", "no"));
        let unknown = || refused().map_err(StoreError::effect_unknown);
        let effect = |answers: Vec<Result<()>>| all_or_unknown(answers).unwrap_err().effect();
        assert_eq!(effect(vec![refused(), refused()]), Effect::NotApplied);
        assert_eq!(effect(vec![refused(), Ok(())]), Effect::Unknown);
        assert_eq!(effect(vec![refused(), unknown()]), Effect::Unknown);
        assert_eq!(all_or_unknown(vec![Ok(1), Ok(2)]).unwrap(), [1, 2]);
    }
}
