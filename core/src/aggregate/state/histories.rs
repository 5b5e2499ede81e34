//! Random histories: a state that was stored and read back goes on as if nothing had happened.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::{
    AggregateKey, AggregateName, AggregateRules, AggregateSnapshot, AggregateState, EpochChange,
    EpochShard, Fate, Judged, LateParts, MessageId, PartHead, Receipt, Timestamp, Turn, Verdict,
    WhenFull,
};

/// One call, or a step of the clock.
#[derive(Clone, Debug)]
enum Step {
    /// Which rules; then key, id and size of each part.
    Append(u8, Vec<(u8, u8, u8)>),
    Turn(u32),
    Answer(u8, u8),
    Finish(u8, u8),
    Change(u8, bool),
    Advance(i64),
    /// It is stored and read back.
    Restore,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let part = (0..3u8, 0..30u8, 0..5u8);
    let step = prop_oneof![
        5 => (0..4u8, prop::collection::vec(part, 1..5)).prop_map(|(rules, parts)| Step::Append(rules, parts)),
        4 => (1..4u32).prop_map(Step::Turn),
        2 => (0..3u8, 0..3u8).prop_map(|(which, judged)| Step::Answer(which, judged)),
        3 => (0..5u8, 0..3u8).prop_map(|(which, fate)| Step::Finish(which, fate)),
        1 => (0..5u8, any::<bool>()).prop_map(|(which, close)| Step::Change(which, close)),
        3 => (0..30_000i64).prop_map(Step::Advance),
        2 => Just(Step::Restore),
    ];
    prop::collection::vec(step, 1..40)
}

fn rules(number: u8) -> Arc<AggregateRules> {
    let mut rules = AggregateRules {
        remember_ms: 15_000,
        ..AggregateRules::default()
    };
    match number {
        0 => rules.size = Some(3),
        1 => (rules.idle_ms, rules.late) = (Some(5_000), LateParts::Drop),
        2 => rules.predicate = Some("enough".to_owned()),
        _ => {
            (rules.at_most_ms, rules.late) = (Some(20_000), LateParts::Dead);
            (rules.parts_max, rules.full) = (2, WhenFull::Refuse);
        }
    }
    Arc::new(rules)
}

/// A state, and what was handed out of it.
struct Actor {
    state: AggregateState<u8>,
    receipts: Vec<Receipt>,
    questions: Vec<crate::Question>,
    now: Timestamp,
}

fn name() -> AggregateName {
    AggregateName::new("orders").expect("a name")
}

const SHARD: EpochShard = EpochShard { index: 1, of: 4 };

impl Actor {
    fn new() -> Self {
        Self {
            state: AggregateState::new(name(), 7, SHARD),
            receipts: Vec::new(),
            questions: Vec::new(),
            now: Timestamp::from_millis(1_000),
        }
    }

    /// Makes a step and says what it answered.
    fn step(&mut self, step: &Step, restores: bool) -> String {
        let now = self.now;
        match step {
            Step::Append(number, parts) => {
                let parts = parts.iter().map(|(key, id, bytes)| {
                    let head = PartHead {
                        key: AggregateKey::new(format!("k{key}")).expect("a key"),
                        closing: false,
                        position: Timestamp::from_millis(i64::from(id / 2)),
                        id: MessageId::from_content(&[&[*id]]),
                        bytes: u64::from(*bytes),
                    };
                    (head, *id)
                });
                format!("{:?}", self.state.append(&rules(*number), parts, now))
            }
            Step::Turn(max) => {
                let turn = Turn {
                    max: NonZeroU32::new(*max).expect("not zero"),
                    lease: Duration::from_secs(20),
                };
                let turned = self.state.turn(turn, now);
                let said = format!("{turned:?}");
                self.receipts
                    .extend(turned.closed.into_iter().map(|closed| closed.receipt));
                self.questions.extend(turned.questions);
                said
            }
            Step::Answer(which, judged) => self.answer(usize::from(*which), *judged),
            Step::Finish(which, fate) => {
                let Some(receipt) = self.receipts.iter().rev().nth(usize::from(*which)) else {
                    return String::new();
                };
                let put_off = Fate::PutOff(Duration::from_secs(7));
                let fate = [Fate::Released, Fate::Dead, put_off][usize::from(*fate)];
                format!("{:?}", self.state.finish(&receipt.clone(), fate, now))
            }
            Step::Change(which, close) => self.change(usize::from(*which), *close),
            Step::Advance(millis) => {
                self.now = Timestamp::from_millis(now.as_millis() + millis);
                String::new()
            }
            Step::Restore if restores => {
                let read = AggregateSnapshot::of(&self.state).restore(name(), SHARD);
                self.state = read.expect("its rows are whole");
                String::new()
            }
            Step::Restore => String::new(),
        }
    }

    fn answer(&mut self, which: usize, judged: u8) -> String {
        let Some(question) = self.questions.iter().rev().nth(which) else {
            return String::new();
        };
        let verdict = Verdict {
            key: question.key.clone(),
            epoch: question.epoch,
            parts: question.parts,
            judged: [Judged::Complete, Judged::NotYet, Judged::Failed][usize::from(judged)],
        };
        format!("{:?}", self.state.answer(&verdict, self.now))
    }

    fn change(&mut self, which: usize, close: bool) -> String {
        let now = self.now;
        let all = self.state.epochs(None, None, NonZeroU32::MAX, now).items;
        let Some(info) = all.get(which) else {
            return String::new();
        };
        let change = if close {
            EpochChange::Close
        } else {
            EpochChange::Discard
        };
        format!(
            "{:?}",
            self.state.change(&info.key, info.epoch, change, now)
        )
    }
}

proptest! {
    #[test]
    fn a_state_that_was_read_back_goes_on_the_same(steps in steps()) {
        let (mut plain, mut restored) = (Actor::new(), Actor::new());
        for step in &steps {
            prop_assert_eq!(plain.step(step, false), restored.step(step, true));
            prop_assert_eq!(
                AggregateSnapshot::of(&plain.state),
                AggregateSnapshot::of(&restored.state)
            );
            prop_assert_eq!(plain.state.info(), restored.state.info());
            prop_assert!(plain.state.info().is_balanced());
            for info in plain.state.epochs(None, None, NonZeroU32::MAX, plain.now).items {
                prop_assert_eq!(EpochShard::of(info.epoch, SHARD.of), SHARD.index);
                let parts = plain.state.parts(&info.key, info.epoch, None, NonZeroU32::MAX);
                prop_assert_eq!(parts.items.len(), info.parts as usize);
            }
        }
    }
}
