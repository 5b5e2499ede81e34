//! Closed epochs and questions are handed out, and what becomes of them is written down.

use std::collections::HashMap;
use std::sync::Arc;

use longshore_core::{
    AggregateKey, AggregateName, AggregateRules, Changed, ClosedEpoch, CompletedBy, Epoch,
    EpochChange, EpochInfo, EpochState, Fate, Judged, OpenEpoch, Question, Receipt, Result,
    Settled, Timestamp, Turn, Turned, Verdict, epoch_id,
};

use crate::aggregate::RedisAggregates;
use crate::connection::call::Call;
use crate::connection::reply::Reply;
use crate::error::unexpected_reply;
use crate::scripts;
use crate::store::observe_time;

/// Rules by the name that epochs give them.
pub(super) type RulesNamed = HashMap<String, Arc<AggregateRules>>;

impl RedisAggregates {
    pub(super) async fn take_turn(&self, name: &AggregateName, turn: Turn) -> Result<Turned> {
        let mut call = self.call("turn", &scripts::AGGREGATE_TURN, name);
        call.arg(turn.max.get())
            .arg(
                u64::try_from(turn.lease.as_millis())
                    .unwrap_or(u64::MAX)
                    .min(1 << 52),
            )
            .arg(format!("{:016x}", fastrand::u64(..)));
        let reply = self.store.session.run(&call).await?;
        let [now, generation, closed, questions, rules, next] = reply.fixed()?;
        let now = Timestamp::from_millis(observe_time(&self.store, now)?);
        let generation = generation.count()?;
        let rules = read_rules(rules)?;
        let mut turned = Turned::default();
        for row in closed.list()? {
            turned
                .closed
                .push(closed_epoch(name, generation, row, &rules, now)?);
        }
        for row in questions.list()? {
            let [epoch, key, of, parts] = row.fixed()?;
            turned.questions.push(Question {
                epoch: Epoch::new(epoch.count()?),
                key: read_key(key)?,
                rules: named(&rules, &of.text()?)?,
                parts: parts.count()? as u32,
            });
        }
        turned.next = next.optional_number()?.map(Timestamp::from_millis);
        turned.more = turned.next.is_some_and(|at| at <= now);
        Ok(turned)
    }

    pub(super) async fn answer_all(
        &self,
        name: &AggregateName,
        verdicts: &[Verdict],
    ) -> Result<Vec<Settled>> {
        let mut call = self.settle_call("answer", name);
        for verdict in verdicts {
            call.arg(verdict.key.as_str())
                .arg(verdict.epoch.number())
                .arg(verdict.parts)
                .arg(match verdict.judged {
                    Judged::Complete => "c",
                    Judged::NotYet => "n",
                    Judged::Failed => "f",
                });
        }
        self.settled(&call, verdicts.len()).await
    }

    pub(super) async fn finish_all(
        &self,
        name: &AggregateName,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>> {
        let mut call = self.settle_call("finish", name);
        for (receipt, fate) in epochs {
            let (epoch, token) = read_receipt(receipt);
            call.arg(epoch).arg(token).arg(match fate {
                Fate::Released => "r".to_owned(),
                Fate::Dead => "d".to_owned(),
                Fate::PutOff(span) => {
                    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
                    millis.min(1 << 52).to_string()
                }
            });
        }
        self.settled(&call, epochs.len()).await
    }

    pub(super) async fn change_all(
        &self,
        name: &AggregateName,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>> {
        let mut call = self.settle_call("change", name);
        for (key, epoch, change) in epochs {
            call.arg(key.as_str())
                .arg(epoch.number())
                .arg(match change {
                    EpochChange::Close => "c",
                    EpochChange::Discard => "d",
                });
        }
        let letters = self.letters(&call, epochs.len()).await?;
        let changed = letters.into_iter().map(|letter| match letter {
            b'a' => Changed::Applied,
            b'l' => Changed::Leased,
            _ => Changed::NotFound,
        });
        Ok(changed.collect())
    }

    fn settle_call(&self, verb: &'static str, name: &AggregateName) -> Call {
        let mut call = self.call(verb, &scripts::AGGREGATE_SETTLE, name);
        call.arg(verb);
        call
    }

    async fn settled(&self, call: &Call, count: usize) -> Result<Vec<Settled>> {
        let letters = self.letters(call, count).await?;
        let settled = letters.into_iter().map(|letter| match letter {
            b'a' => Settled::Applied,
            _ => Settled::LeaseLost,
        });
        Ok(settled.collect())
    }

    async fn letters(&self, call: &Call, count: usize) -> Result<Vec<u8>> {
        let [now, letters] = self.store.session.run(call).await?.fixed()?;
        observe_time(&self.store, now)?;
        let letters = letters.bytes()?;
        if letters.len() == count {
            return Ok(letters.to_vec());
        }
        Err(unexpected_reply(
            call.operation,
            "there are too few outcomes",
        ))
    }
}

fn closed_epoch(
    name: &AggregateName,
    generation: u64,
    row: Reply,
    rules: &RulesNamed,
    now: Timestamp,
) -> Result<ClosedEpoch> {
    let row = ClosedRow::read(row, rules, now)?;
    let id = epoch_id(name, generation, &row.info.key, row.info.epoch);
    let receipt = format!("{} {}", row.info.epoch, row.token);
    let receipt = Receipt::from_bytes(receipt.into_bytes());
    Ok(ClosedEpoch::new(
        row.info,
        row.by,
        row.is_set_aside,
        id,
        receipt,
    ))
}

/// A closed epoch as the scripts answer it.
pub(super) struct ClosedRow {
    pub(super) info: EpochInfo,
    by: CompletedBy,
    is_set_aside: bool,
    token: String,
}

impl ClosedRow {
    pub(super) fn read(row: Reply, rules: &RulesNamed, now: Timestamp) -> Result<Self> {
        let [
            epoch,
            key,
            of,
            parts,
            bytes,
            opened,
            last,
            closed,
            by,
            aside,
            token,
            at,
        ] = row.fixed()?;
        let (token, at) = (token.text()?, time(at)?);
        let (by, is_set_aside) = (read_by(&by.text()?)?, aside.number()? == 1);
        let state = EpochState::Closed {
            by,
            at: time(closed)?,
            leased_until: (token != "-" && at > now).then_some(at),
            is_set_aside,
        };
        let was = read_numbers([epoch, parts, bytes, opened, last])?;
        let info = EpochInfo::new(read_key(key)?, &was, named(rules, &of.text()?)?, state);
        Ok(Self {
            info,
            by,
            is_set_aside,
            token,
        })
    }
}

/// Epoch and token of a receipt; those of none where it is none of this store.
fn read_receipt(receipt: &Receipt) -> (u64, String) {
    let text = std::str::from_utf8(receipt.as_bytes()).unwrap_or_default();
    let read = text.split_once(' ').and_then(|(epoch, token)| {
        let is_token = token.len() > 16 && token.bytes().all(|byte| byte.is_ascii_graphic());
        Some((epoch.parse().ok()?, is_token.then(|| token.to_owned())?))
    });
    read.unwrap_or((0, "none".to_owned()))
}

/// Reads pairs of a name and rules.
pub(super) fn read_rules(pairs: Reply) -> Result<RulesNamed> {
    let mut rules = RulesNamed::new();
    for pair in pairs.list()? {
        let [name, text] = pair.fixed()?;
        let read = AggregateRules::decode(&text.text()?)?;
        rules.insert(name.text()?, Arc::new(read));
    }
    Ok(rules)
}

pub(super) fn named(rules: &RulesNamed, name: &str) -> Result<Arc<AggregateRules>> {
    let found = rules.get(name).cloned();
    found.ok_or_else(|| unexpected_reply("turn", "rules are missing"))
}

/// Epoch, parts, bytes, first and last.
pub(super) fn read_numbers(numbers: [Reply; 5]) -> Result<OpenEpoch> {
    let [epoch, parts, bytes, opened, last] = numbers;
    Ok(OpenEpoch {
        epoch: Epoch::new(epoch.count()?),
        parts: parts.count()? as u32,
        bytes: bytes.count()?,
        opened: time(opened)?,
        last: time(last)?,
        ask_at: None,
        asks: false,
    })
}

pub(super) fn read_key(key: Reply) -> Result<AggregateKey> {
    AggregateKey::new(key.text()?).map_err(|_| unexpected_reply("turn", "a key was expected"))
}

fn read_by(word: &str) -> Result<CompletedBy> {
    CompletedBy::of(word).ok_or_else(|| unexpected_reply("turn", "a completion was expected"))
}

pub(super) fn time(reply: Reply) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(reply.number()?))
}
