//! Open epochs are looked at and judged.

use crate::{
    AggregateKey, AggregateState, CompletedBy, Judged, Question, Settled, Timestamp, Turn, Turned,
    Verdict,
};

/// No turn looks at more open epochs.
const LOOKS_MAX: usize = 256;

impl<P> AggregateState<P> {
    /// Closes what is due and hands out questions, then closed epochs.
    pub fn turn(&mut self, turn: Turn, now: Timestamp) -> Turned {
        self.forget(now);
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

    /// Takes the answer to a question.
    pub fn answer(&mut self, verdict: &Verdict, now: Timestamp) -> Settled {
        self.forget(now);
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
