//! A good store of aggregates behind a flaw.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateStore, Appends, Changed,
    Cursor, Epoch, EpochChange, EpochInfo, Fate, LateParts, MessageId, NewPart, Page, Part,
    Receipt, Result, Settled, Turn, Turned, Verdict, epoch_id,
};

use super::AggregateFlaw as Flaw;

/// The receipts that were handed out, for the flaws that mix them up.
///
/// Under one lock: closers hand out and finish at the same time.
pub(super) type EpochReceipts = Arc<Mutex<HandedOut>>;

#[derive(Debug, Default)]
pub(super) struct HandedOut {
    /// The epoch that a receipt is of.
    epochs: HashMap<Vec<u8>, MessageId>,
    latest: HashMap<MessageId, Receipt>,
}

impl HandedOut {
    fn note(&mut self, epoch: MessageId, receipt: &Receipt) {
        self.epochs.insert(receipt.as_bytes().to_vec(), epoch);
        self.latest.insert(epoch, receipt.clone());
    }

    /// The receipt that its epoch was handed out with last.
    fn latest_of(&self, receipt: &Receipt) -> Receipt {
        let epoch = self.epochs.get(receipt.as_bytes());
        let latest = epoch.and_then(|epoch| self.latest.get(epoch));
        latest.unwrap_or(receipt).clone()
    }
}

/// A handle to broken aggregates.
#[derive(Debug)]
pub(super) struct BrokenAggregates {
    pub(super) inner: Arc<dyn AggregateStore>,
    pub(super) flaw: Flaw,
    pub(super) receipts: EpochReceipts,
}

impl BrokenAggregates {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn spoiled(&self, rules: &AggregateRules) -> AggregateRules {
        let mut rules = rules.clone();
        match self.flaw {
            Flaw::AgeIsIdle => {
                let spans = [rules.idle_ms, rules.at_most_ms.take()];
                rules.idle_ms = spans.into_iter().flatten().max();
            }
            Flaw::IdleIsAge => {
                let spans = [rules.at_most_ms, rules.idle_ms.take()];
                rules.at_most_ms = spans.into_iter().flatten().min();
            }
            Flaw::ForgetsAtOnce => rules.remember_ms = 0,
            Flaw::LateIgnored => rules.late = LateParts::Open,
            Flaw::SizeOffByOne => rules.size = rules.size.map(|size| size.saturating_add(1)),
            _ => {}
        }
        rules
    }

    fn spoiled_part(&self, part: &NewPart) -> NewPart {
        let mut part = part.clone();
        match self.flaw {
            Flaw::RepeatCounts => {
                part.message.id = MessageId::from_uuid(uuid::Uuid::now_v7());
            }
            Flaw::ClosingIgnored => part.closing = false,
            _ => {}
        }
        part
    }

    /// Closes the open epochs of these parts that would be complete by these rules.
    async fn close_by(
        &self,
        name: &AggregateName,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<()> {
        for part in parts {
            let page = self
                .inner
                .epochs(name, Some(&part.key), None, NonZeroU32::MIN);
            for one in page.await?.items {
                if rules.size.is_some_and(|size| one.parts >= size) {
                    let close = [(one.key, one.epoch, EpochChange::Close)];
                    self.inner.change(name, &close).await?;
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl AggregateStore for BrokenAggregates {
    async fn append(
        &self,
        name: &AggregateName,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<Appends> {
        let given = rules;
        let rules = self.spoiled(rules);
        let mut parts: Vec<_> = parts.iter().map(|part| self.spoiled_part(part)).collect();
        let whole = parts.len();
        if self.is(Flaw::PartLost) && whole > 1 {
            parts.pop();
        }
        let mut answer = self.inner.append(name, &rules, &parts).await?;
        if let Some(last) = answer.outcomes.last().copied() {
            answer.outcomes.resize(whole, last);
        }
        if self.is(Flaw::NewRulesAtOnce) {
            self.close_by(name, given, &parts).await?;
        }
        Ok(answer)
    }

    async fn turn(&self, name: &AggregateName, turn: Turn) -> Result<Turned> {
        let mut turned = self.inner.turn(name, turn).await?;
        for closed in &mut turned.closed {
            if self.is(Flaw::ClosedIsReleased) {
                let done = [(closed.receipt.clone(), Fate::Released)];
                self.inner.finish(name, &done).await?;
            }
            let mut receipts = self.receipts.lock().expect("no poison");
            receipts.note(closed.id, &closed.receipt);
            if self.is(Flaw::IdsStandStill) {
                closed.id = epoch_id(name, 0, &closed.info.key, Epoch::new(1));
            }
        }
        Ok(turned)
    }

    async fn parts(
        &self,
        name: &AggregateName,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<Part>> {
        let mut page = self.inner.parts(name, key, epoch, after, max).await?;
        match self.flaw {
            Flaw::PartsUnordered => page.items.reverse(),
            Flaw::PartsCut => page.next = None,
            _ => {}
        }
        Ok(page)
    }

    async fn answer(&self, name: &AggregateName, verdicts: &[Verdict]) -> Result<Vec<Settled>> {
        let mut verdicts = verdicts.to_vec();
        if self.is(Flaw::VerdictNotCounted) {
            for verdict in &mut verdicts {
                let page = self
                    .inner
                    .epochs(name, Some(&verdict.key), None, NonZeroU32::MIN);
                let now = page.await?.items.first().map(|one| one.parts);
                verdict.parts = now.unwrap_or(verdict.parts);
            }
        }
        self.inner.answer(name, &verdicts).await
    }

    async fn finish(
        &self,
        name: &AggregateName,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>> {
        let real = epochs.iter().map(|(receipt, fate)| {
            let receipts = self.receipts.lock().expect("no poison");
            match (self.flaw, fate) {
                (Flaw::FinishNotFenced, fate) => (receipts.latest_of(receipt), *fate),
                (Flaw::PutOffIgnored, Fate::PutOff(_)) => {
                    (receipt.clone(), Fate::PutOff(Duration::ZERO))
                }
                (_, fate) => (receipt.clone(), *fate),
            }
        });
        let real: Vec<_> = real.collect();
        self.inner.finish(name, &real).await
    }

    async fn list(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<AggregateInfo>> {
        self.inner.list(after, max).await
    }

    async fn epochs(
        &self,
        name: &AggregateName,
        key: Option<&AggregateKey>,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<EpochInfo>> {
        self.inner.epochs(name, key, after, max).await
    }

    async fn change(
        &self,
        name: &AggregateName,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>> {
        let mut epochs = epochs.to_vec();
        if self.is(Flaw::DiscardCloses) {
            for (_, _, change) in &mut epochs {
                *change = EpochChange::Close;
            }
        }
        self.inner.change(name, &epochs).await
    }
}
