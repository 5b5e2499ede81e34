//! Random histories of aggregates, played against a store and the reference model side by side.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{
    AggregateInfo, AggregateRules, AggregateStore, ClosedEpoch, Cursor, Epoch, EpochChange,
    EpochInfo, Fate, IdOrigin, JobKind, Judged, LateParts, ManualClock, MessageId, NewMessage,
    NewPart, Part, Question, Timestamp, Turn, Verdict, WhenFull,
};
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::runs::{kept, run_histories, unkept};
use crate::Harness;
use crate::collecting::{key, orders, rules};
use crate::stage::count;

/// Beside the test's own crate: failing histories are kept here and tried first the next time.
const FAILURES: &str = "proptest-regressions/aggregates.txt";
/// How long a worker has what it was handed out.
const LEASE: Duration = Duration::from_secs(20);

/// One call, or a step of the clock.
#[derive(Clone, Debug)]
enum Step {
    /// Rules, then key, id, size and whether it is the last, for each part.
    Append(usize, Vec<(u8, u8, usize, bool)>),
    Turn,
    /// Which question, whether all of its parts were seen, and the verdict.
    Answer(usize, bool, u8),
    /// Which hand-out, and its fate.
    Finish(usize, u8),
    /// Which listed epoch, and whether to close it.
    Change(usize, bool),
    Advance(u64),
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let part = (0..4u8, 0..24u8, 0..6usize, prop::bool::weighted(0.1));
    let step = prop_oneof![
        6 => (0..RULES, prop::collection::vec(part, 1..6))
            .prop_map(|(rules, parts)| Step::Append(rules, parts)),
        4 => Just(Step::Turn),
        2 => (0..9usize, prop::bool::weighted(0.8), 0..3u8)
            .prop_map(|(which, all, judged)| Step::Answer(which, all, judged)),
        3 => (0..9usize, 0..4u8).prop_map(|(which, fate)| Step::Finish(which, fate)),
        1 => (0..9usize, any::<bool>()).prop_map(|(which, close)| Step::Change(which, close)),
        3 => (0..40_000u64).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..40)
}

const RULES: usize = 5;

/// The rules that histories use: each kind of completion, each way with late and with many parts.
fn rules_of(number: usize) -> AggregateRules {
    rules(|rules| {
        rules.remember_ms = 15_000;
        match number {
            0 => rules.size = Some(3),
            1 => {
                rules.idle_ms = Some(5_000);
                rules.at_most_ms = Some(12_000);
                rules.late = LateParts::Drop;
            }
            2 => {
                rules.predicate = Some("enough".to_owned());
                rules.interval_ms = Some(30_000);
            }
            3 => {
                rules.bytes = Some(8);
                rules.parts_max = 2;
                rules.full = WhenFull::Refuse;
                rules.late = LateParts::Dead;
            }
            _ => {
                rules.closing = true;
                rules.bytes_max = Some(9);
            }
        }
    })
}

/// Plays as many histories as `PROPTEST_CASES` says, or else the harness.
pub(crate) fn random_aggregates_agree(harness: &dyn Harness) -> Result<(), String> {
    run(harness, kept(harness, FAILURES))
}

/// Plays histories until one fails: for broken stores.
pub(crate) fn an_aggregate_history_fails(harness: &dyn Harness) -> Result<(), String> {
    run(harness, unkept(512))
}

fn run(harness: &dyn Harness, config: Config) -> Result<(), String> {
    let told = |steps: &Vec<Step>| format!("{steps:#?}");
    run_histories(config, &history(), told, &async |steps: &Vec<Step>| {
        play(harness, steps).await;
    })
}

async fn play(harness: &dyn Harness, steps: &[Step]) {
    let clock = Arc::new(ManualClock::default());
    let subject = harness.open(clock.clone()).await;
    let has = "the store has aggregates";
    let mut pair = Pair {
        store: subject.backend().aggregates().expect(has).clone(),
        model: harness
            .model(clock.clone())
            .aggregates()
            .expect(has)
            .clone(),
        clock,
        handed_out: Vec::new(),
        questions: Vec::new(),
    };
    for step in steps {
        pair.step(step).await;
        pair.compare().await;
    }
}

/// A store and the model, and what both handed out.
struct Pair {
    store: Arc<dyn AggregateStore>,
    model: Arc<dyn AggregateStore>,
    clock: Arc<ManualClock>,
    handed_out: Vec<[ClosedEpoch; 2]>,
    questions: Vec<Question>,
}

/// Makes a call of both and checks that they answer the same.
macro_rules! both {
    ($pair:ident, $store:ident => $call:expr) => {{
        let $store = &$pair.store;
        let of_store = $call.await.expect("the store answers");
        let $store = &$pair.model;
        let of_model = $call.await.expect("the model answers");
        assert_eq!(of_store, of_model);
        of_store
    }};
}

impl Pair {
    async fn step(&mut self, step: &Step) {
        match step {
            Step::Append(number, parts) => {
                let rules = rules_of(*number);
                let parts: Vec<_> = parts.iter().map(|part| new_part(*part)).collect();
                both!(self, store => store.append(orders(), &rules, &parts));
            }
            Step::Turn => self.turn().await,
            Step::Answer(which, all, judged) => self.answer(*which, *all, *judged).await,
            Step::Finish(which, fate) => self.finish(*which, *fate).await,
            Step::Change(which, close) => self.change(*which, *close).await,
            Step::Advance(millis) => self.clock.advance(Duration::from_millis(*millis)),
        }
    }

    async fn turn(&mut self) {
        let turn = Turn {
            max: count(100),
            lease: LEASE,
        };
        let mut of_store = self.store.turn(orders(), turn).await.expect("turn");
        let mut of_model = self.model.turn(orders(), turn).await.expect("turn");
        // Epochs in the index may be there too early, so the order differs.
        for questions in [&mut of_store.questions, &mut of_model.questions] {
            questions.sort_by(|one, other| one.key.cmp(&other.key));
        }
        assert_eq!(of_store.questions, of_model.questions);
        assert_eq!(of_store.more, of_model.more);
        assert_eq!(seen(&of_store.closed), seen(&of_model.closed));
        self.questions.extend(of_store.questions);
        let pairs = of_store.closed.into_iter().zip(of_model.closed);
        self.handed_out
            .extend(pairs.map(|(one, other)| [one, other]));
    }

    async fn answer(&self, which: usize, all: bool, judged: u8) {
        let Some(question) = self.questions.iter().rev().nth(which) else {
            return;
        };
        let verdict = [Verdict {
            key: question.key.clone(),
            epoch: question.epoch,
            parts: question.parts - u32::from(!all),
            judged: [Judged::Complete, Judged::NotYet, Judged::Failed][usize::from(judged)],
        }];
        both!(self, store => store.answer(orders(), &verdict));
    }

    async fn finish(&self, which: usize, fate: u8) {
        let Some([of_store, of_model]) = self.handed_out.iter().rev().nth(which) else {
            return;
        };
        let fate = match fate {
            0 | 1 => Fate::Released,
            2 => Fate::Dead,
            _ => Fate::PutOff(Duration::from_secs(7)),
        };
        let done = [(of_store.receipt.clone(), fate)];
        let by_store = self.store.finish(orders(), &done).await.expect("finish");
        let done = [(of_model.receipt.clone(), fate)];
        let by_model = self.model.finish(orders(), &done).await.expect("finish");
        assert_eq!(by_store, by_model);
    }

    async fn change(&self, which: usize, close: bool) {
        let listed = epochs(&self.model, 100).await;
        let Some(one) = listed.get(which) else {
            return;
        };
        let change = if close {
            EpochChange::Close
        } else {
            EpochChange::Discard
        };
        let changes = [(one.key.clone(), one.epoch, change)];
        both!(self, store => store.change(orders(), &changes));
    }

    /// Everything that can be seen is the same.
    async fn compare(&self) {
        let listed = epochs(&self.store, 3).await;
        assert_eq!(listed, epochs(&self.model, 100).await);
        for one in &listed {
            let of_store = parts(&self.store, one, 2).await;
            assert_eq!(of_store, parts(&self.model, one, 100).await);
            assert_eq!(of_store.len(), one.parts as usize, "{one:?}");
        }
        assert_eq!(numbers(&self.store).await, numbers(&self.model).await);
    }
}

fn new_part((of, number, size, closing): (u8, u8, usize, bool)) -> NewPart {
    let id = MessageId::from_content(&[b"part", &[number]]);
    NewPart {
        key: key(&format!("k{of}")),
        closing,
        position: Timestamp::from_millis(i64::from(number / 2)),
        message: NewMessage::new(id, IdOrigin::Given, JobKind::default(), vec![number; size]),
    }
}

/// What was handed out, without the receipts: each store makes its own.
fn seen(closed: &[ClosedEpoch]) -> Vec<(&EpochInfo, MessageId, bool)> {
    let one = |one: &'_ ClosedEpoch| (one.id, one.is_set_aside);
    let seen = closed.iter().map(|closed| {
        let (id, is_set_aside) = one(closed);
        (&closed.info, id, is_set_aside)
    });
    seen.collect()
}

async fn epochs(store: &Arc<dyn AggregateStore>, max: u32) -> Vec<EpochInfo> {
    let mut all = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = store
            .epochs(orders(), None, after.as_ref(), count(max))
            .await;
        let page = page.expect("epochs");
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn parts(store: &Arc<dyn AggregateStore>, of: &EpochInfo, max: u32) -> Vec<Part> {
    let mut all = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let (key, epoch): (_, Epoch) = (&of.key, of.epoch);
        let page = store.parts(orders(), key, epoch, after.as_ref(), count(max));
        let page = page.await.expect("parts");
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// The numbers, which add up; when to look next is left out: an index may say it too early.
async fn numbers(store: &Arc<dyn AggregateStore>) -> Vec<AggregateInfo> {
    let mut infos = store.list(None, count(10)).await.expect("list").items;
    for info in &mut infos {
        assert!(info.is_balanced(), "{info:?}");
        info.next = None;
    }
    infos
}
