//! Parts come in.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    AggregateKey, AggregateRules, AggregateState, Appended, Appends, CompletedBy, Goes, KeyState,
    MessageId, NewPart, OpenEpoch, Timestamp, place,
};

use super::{Closed, Open};

/// What decides about a part: all of it but its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHead {
    /// The correlation key.
    pub key: AggregateKey,
    /// Whether it is the last one of its epoch.
    pub closing: bool,
    /// Its place among the parts.
    pub position: Timestamp,
    /// Its id.
    pub id: MessageId,
    /// How many bytes its body has.
    pub bytes: u64,
}

impl From<&NewPart> for PartHead {
    fn from(part: &NewPart) -> Self {
        Self {
            key: part.key.clone(),
            closing: part.closing,
            position: part.position,
            id: part.message.id,
            bytes: part.message.body.len() as u64,
        }
    }
}

impl<P> AggregateState<P> {
    /// Adds parts that come at `now` under these rules, with what is kept of each; one outcome for
    /// each, in order.
    pub fn append(
        &mut self,
        rules: &Arc<AggregateRules>,
        parts: impl IntoIterator<Item = (PartHead, P)>,
        now: Timestamp,
    ) -> Appends {
        self.forget(now);
        let mut answer = Appends::default();
        for (head, kept) in parts {
            if self.ids.contains_key(&head.id) {
                answer.outcomes.push(Appended::Duplicate);
                continue;
            }
            self.put(rules, &head, kept, now, &mut answer);
            answer.outcomes.push(Appended::Stored);
        }
        answer
    }

    fn put(
        &mut self,
        rules: &Arc<AggregateRules>,
        part: &PartHead,
        kept: P,
        now: Timestamp,
        answer: &mut Appends,
    ) {
        let key = &part.key;
        let open = self.open.get(key);
        let state = KeyState {
            open: open.map(|open| (open.state, &*open.rules)),
            was_closed: self.closed_keys.contains_key(key),
            next: self.next_epoch(now),
        };
        let placed = place(rules, state, part.bytes, part.closing, now);
        if let Some(by) = placed.closes {
            self.close(key, by, now);
            answer.is_ready = true;
        }
        self.counts.accepted += 1;
        match placed.goes {
            Goes::Into {
                open,
                is_new,
                completes,
            } => {
                self.counts.open += 1;
                self.keep(open.epoch, part, kept);
                self.set_open(key, open, is_new.then(|| rules.clone()));
                match completes {
                    Some(by) => {
                        self.close(key, by, now);
                        answer.is_ready = true;
                    }
                    None => self.tell_next(key, now, answer),
                }
            }
            Goes::Aside { epoch, by, is_kept } => {
                self.keep(epoch, part, kept);
                let state = OpenEpoch::single(epoch, part.bytes, now);
                self.put_aside(key, state, rules.clone(), by, is_kept, now);
                answer.is_ready |= is_kept;
            }
        }
    }

    fn tell_next(&self, key: &AggregateKey, now: Timestamp, answer: &mut Appends) {
        let open = self.open.get(key);
        let Some(at) = open.and_then(|open| open.state.look_at(&open.rules)) else {
            return;
        };
        answer.is_ready |= at <= now;
        answer.next = Some(answer.next.map_or(at, |next| next.min(at)));
    }

    fn keep(&mut self, epoch: crate::Epoch, part: &PartHead, kept: P) {
        self.last = self.last.max(epoch);
        self.ids.insert(part.id, epoch);
        self.members.entry(epoch).or_default().push(part.id);
        self.parts.insert((epoch, part.position, part.id), kept);
    }

    /// Replaces what is known of an open epoch; a new one comes with its rules.
    pub(super) fn set_open(
        &mut self,
        key: &AggregateKey,
        state: OpenEpoch,
        new: Option<Arc<AggregateRules>>,
    ) {
        if let Some(rules) = new {
            let opened = Open { state, rules };
            self.looks
                .extend(state.look_at(&opened.rules).map(|at| (at, key.clone())));
            self.open.insert(key.clone(), opened);
            return;
        }
        if let Some(open) = self.open.get_mut(key) {
            let before = open.state.look_at(&open.rules);
            open.state = state;
            let after = open.state.look_at(&open.rules);
            if before != after {
                self.looks.extend(after.map(|at| (at, key.clone())));
                if let Some(at) = before {
                    self.looks.remove(&(at, key.clone()));
                }
            }
        }
    }

    /// Closes the open epoch of a key.
    pub(super) fn close(&mut self, key: &AggregateKey, by: CompletedBy, now: Timestamp) {
        let Some(open) = self.take_open(key) else {
            return;
        };
        let parts = u64::from(open.state.parts);
        self.counts.open -= parts;
        self.counts.closed += parts;
        *self.closed_keys.entry(key.clone()).or_default() += 1;
        let epoch = open.state.epoch;
        let closed = Closed {
            key: key.clone(),
            state: open.state,
            rules: open.rules,
            by,
            at: now,
            is_set_aside: false,
            ready_at: now,
            token: None,
        };
        self.ready.insert((now, epoch));
        self.closed.insert(epoch, closed);
    }

    /// Takes the open epoch of a key out.
    pub(super) fn take_open(&mut self, key: &AggregateKey) -> Option<Open> {
        let open = self.open.remove(key)?;
        if let Some(at) = open.state.look_at(&open.rules) {
            self.looks.remove(&(at, key.clone()));
        }
        Some(open)
    }
}
