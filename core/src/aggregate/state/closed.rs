//! Closed epochs are handed out, released and remembered.

use std::sync::Arc;

use crate::{
    AggregateKey, AggregateRules, AggregateState, Changed, ClosedEpoch, CompletedBy, Epoch,
    EpochChange, Fate, OpenEpoch, Receipt, Settled, Timestamp, Turn, Turned, epoch_id,
};

use super::Closed;

impl<P> AggregateState<P> {
    /// Closes a single part, or drops it.
    pub(super) fn put_aside(
        &mut self,
        key: &AggregateKey,
        state: OpenEpoch,
        rules: Arc<AggregateRules>,
        by: CompletedBy,
        is_kept: bool,
        now: Timestamp,
    ) {
        if !is_kept {
            self.counts.dropped += 1;
            self.remember(state.epoch, None, now, rules.remember());
            return;
        }
        self.counts.closed += 1;
        self.ready.insert((now, state.epoch));
        let closed = Closed {
            key: key.clone(),
            state,
            rules,
            by,
            at: now,
            is_set_aside: true,
            ready_at: now,
            token: None,
        };
        self.closed.insert(state.epoch, closed);
    }

    pub(super) fn hand_out(&mut self, turn: Turn, now: Timestamp, turned: &mut Turned) {
        let ready = self.ready.iter().take_while(|(at, _)| *at <= now);
        let ready: Vec<_> = ready.take(turn.max.get() as usize).copied().collect();
        for (at, epoch) in ready {
            let Some(closed) = self.closed.get_mut(&epoch) else {
                continue;
            };
            self.tokens += 1;
            let until = now.plus(turn.lease);
            (closed.token, closed.ready_at) = (Some(self.tokens), until);
            self.ready.remove(&(at, epoch));
            self.ready.insert((until, epoch));
            let name = &self.counts.name;
            turned.closed.push(ClosedEpoch::new(
                closed.info(now),
                closed.by,
                closed.is_set_aside,
                epoch_id(name, self.generation, &closed.key, epoch),
                receipt(epoch, self.tokens),
            ));
        }
    }

    /// Takes what became of a closed epoch.
    pub fn finish(&mut self, receipt: &Receipt, fate: Fate, now: Timestamp) -> Settled {
        self.forget(now);
        let Some((epoch, token)) = read(receipt) else {
            return Settled::LeaseLost;
        };
        let held = self.closed.get_mut(&epoch);
        let Some(closed) = held.filter(|closed| closed.token == Some(token)) else {
            return Settled::LeaseLost;
        };
        let parts = u64::from(closed.state.parts);
        match fate {
            Fate::PutOff(span) => {
                self.ready.remove(&(closed.ready_at, epoch));
                (closed.token, closed.ready_at) = (None, now.plus(span));
                self.ready.insert((closed.ready_at, epoch));
                return Settled::Applied;
            }
            Fate::Released => self.counts.released += parts,
            Fate::Dead => self.counts.dead += parts,
        }
        self.end(epoch);
        Settled::Applied
    }

    /// Ends a closed epoch: only its ids and its key are remembered.
    fn end(&mut self, epoch: Epoch) {
        if let Some(closed) = self.closed.remove(&epoch) {
            self.counts.closed -= u64::from(closed.state.parts);
            self.ready.remove(&(closed.ready_at, epoch));
            let span = closed.rules.remember();
            let key = (!closed.is_set_aside).then_some(closed.key);
            self.remember(epoch, key, closed.at, span);
        }
    }

    /// Closes or discards an epoch.
    pub fn change(
        &mut self,
        key: &AggregateKey,
        epoch: Epoch,
        change: EpochChange,
        now: Timestamp,
    ) -> Changed {
        self.forget(now);
        let is_open = self
            .open
            .get(key)
            .is_some_and(|open| open.state.epoch == epoch);
        let closed = self.closed.get(&epoch).filter(|closed| closed.key == *key);
        match (change, closed) {
            (EpochChange::Close, _) if is_open => self.close(key, CompletedBy::Force, now),
            (EpochChange::Discard, _) if is_open => self.discard_open(key, now),
            (EpochChange::Discard, Some(closed)) if closed.leased_until(now).is_some() => {
                return Changed::Leased;
            }
            (EpochChange::Discard, Some(closed)) => {
                self.counts.discarded += u64::from(closed.state.parts);
                self.end(epoch);
            }
            _ => return Changed::NotFound,
        }
        Changed::Applied
    }

    fn discard_open(&mut self, key: &AggregateKey, now: Timestamp) {
        if let Some(open) = self.take_open(key) {
            let parts = u64::from(open.state.parts);
            self.counts.open -= parts;
            self.counts.discarded += parts;
            let span = open.rules.remember();
            *self.closed_keys.entry(key.clone()).or_default() += 1;
            self.remember(open.state.epoch, Some(key.clone()), now, span);
        }
    }
}

impl Epoch {
    /// The epoch of a receipt; `None` where that is none of an aggregate's.
    pub fn of_receipt(receipt: &Receipt) -> Option<Self> {
        read(receipt).map(|(epoch, _)| epoch)
    }
}

/// The number of the epoch, then that of the hand-out.
fn receipt(epoch: Epoch, token: u64) -> Receipt {
    Receipt::from_bytes([epoch.number().to_be_bytes(), token.to_be_bytes()].concat())
}

fn read(receipt: &Receipt) -> Option<(Epoch, u64)> {
    let (epoch, token) = receipt.as_bytes().split_first_chunk::<8>()?;
    let token: [u8; 8] = token.try_into().ok()?;
    let epoch = Epoch::new(u64::from_be_bytes(*epoch));
    Some((epoch, u64::from_be_bytes(token)))
}
