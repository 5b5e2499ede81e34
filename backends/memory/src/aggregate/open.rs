//! Parts come in, and open epochs close.

use std::sync::Arc;

use longshore_core::{
    AggregateKey, AggregateRules, Appended, Appends, CompletedBy, Epoch, Goes, Judged, KeyState,
    NewPart, OpenEpoch, Question, Settled, Timestamp, Turn, Turned, Verdict, place,
};

use crate::aggregate::book::{Book, Closed, Open};

/// No turn looks at more open epochs.
const LOOKS_MAX: usize = 256;

impl Book {
    pub(super) fn append(
        &mut self,
        rules: &AggregateRules,
        parts: &[NewPart],
        now: Timestamp,
    ) -> Appends {
        let rules = Arc::new(rules.clone());
        let mut answer = Appends::default();
        for part in parts {
            if self.ids.contains_key(&part.message.id) {
                answer.outcomes.push(Appended::Duplicate);
                continue;
            }
            self.put(&rules, part, now, &mut answer);
            answer.outcomes.push(Appended::Stored);
        }
        answer
    }

    fn put(
        &mut self,
        rules: &Arc<AggregateRules>,
        part: &NewPart,
        now: Timestamp,
        answer: &mut Appends,
    ) {
        let key = &part.key;
        let open = self.open.get(key);
        let state = KeyState {
            open: open.map(|open| (open.state, &*open.rules)),
            was_closed: self.was_closed(key),
            last: self.last,
        };
        let bytes = part.message.body.len() as u64;
        let placed = place(rules, state, bytes, part.closing, now);
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
                self.keep(open.epoch, part);
                self.set_open(key, open, if is_new { Some(rules.clone()) } else { None });
                match completes {
                    Some(by) => {
                        self.close(key, by, now);
                        answer.is_ready = true;
                    }
                    None => self.tell_next(key, now, answer),
                }
            }
            Goes::Aside { epoch, by, is_kept } => {
                self.keep(epoch, part);
                let state = OpenEpoch::single(epoch, bytes, now);
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

    fn keep(&mut self, epoch: Epoch, part: &NewPart) {
        self.last = self.last.max(epoch);
        let message = part.message.stored_at(part.position, None);
        self.ids.insert(message.id, epoch);
        self.members.entry(epoch).or_default().push(message.id);
        self.parts
            .insert((epoch, part.position, message.id), message);
    }

    /// Replaces what is known of an open epoch; a new one comes with its rules.
    fn set_open(&mut self, key: &AggregateKey, state: OpenEpoch, new: Option<Arc<AggregateRules>>) {
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

    /// Closes what is due and hands out questions, then closed epochs.
    pub(super) fn turn(&mut self, turn: Turn, now: Timestamp) -> Turned {
        let mut turned = Turned::default();
        let due: Vec<_> = self
            .looks
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(LOOKS_MAX)
            .map(|(_, key)| key.clone())
            .collect();
        for key in due {
            self.look(&key, turn, now, &mut turned);
        }
        self.hand_out(turn, now, &mut turned);
        turned.next = self.next();
        turned.more = turned.next.is_some_and(|at| at <= now);
        turned
    }

    fn look(&mut self, key: &AggregateKey, turn: Turn, now: Timestamp, turned: &mut Turned) {
        let Some(open) = self.open.get(key) else {
            return;
        };
        if let Some(by) = open.state.due_by(&open.rules, now) {
            self.close(key, by, now);
            return;
        }
        let asks = open.state.ask_at.is_some_and(|at| at <= now);
        if asks && turned.questions.len() < turn.max.get() as usize {
            turned.questions.push(Question {
                key: key.clone(),
                epoch: open.state.epoch,
                parts: open.state.parts,
                rules: open.rules.clone(),
            });
            let mut state = open.state;
            state.ask_at = Some(now.plus(turn.lease));
            self.set_open(key, state, None);
        }
    }

    pub(super) fn answer(&mut self, verdict: &Verdict, now: Timestamp) -> Settled {
        let open = self.open.get(&verdict.key);
        let Some(mut state) = open
            .map(|open| open.state)
            .filter(|state| state.epoch == verdict.epoch)
        else {
            return Settled::LeaseLost;
        };
        let is_current = state.parts == verdict.parts;
        match verdict.judged {
            Judged::Complete if is_current => {
                self.close(&verdict.key, CompletedBy::Predicate, now);
                return Settled::Applied;
            }
            Judged::Failed => (state.ask_at, state.asks) = (None, false),
            Judged::NotYet if is_current => state.ask_at = None,
            // More parts came meanwhile: it is asked again.
            Judged::NotYet | Judged::Complete => state.ask_at = state.asks.then_some(now),
        }
        self.set_open(&verdict.key, state, None);
        if verdict.judged == Judged::Complete {
            return Settled::LeaseLost;
        }
        Settled::Applied
    }
}
