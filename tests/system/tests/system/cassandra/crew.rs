//! Workers, a producer and the command line on a cell of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use longshore_system_tests::{
    Act, CassandraCluster, Cli, Fleet, History, Ledger, Moment, PRODUCER, Place, Process,
    ProducerOrder, Violation, Work, WorkerOrder, judge, until,
};

use crate::scenes::{QUEUE, effects, history, leased_max, until_empty};

/// No wait of these tests is longer: far beyond what one takes where nobody else needs the
/// processors.
pub(super) const LONG: Duration = Duration::from_secs(240);

/// How long the leases of the workers last where a test does not say: longer than a node takes to
/// be found missing.
const LEASE: Duration = Duration::from_secs(30);

/// Jobs that a test stores by itself have numbers from here on.
pub(super) const OWN: u64 = 100_000_000;

/// Who works on the queue of a test.
pub(super) struct Crew<'a> {
    pub(super) cli: Cli,
    pub(super) fleet: Fleet<'a>,
    place: &'a Place,
    store: String,
    producer: Option<Process>,
    own: BTreeSet<u64>,
}

impl<'a> Crew<'a> {
    /// Workers on a new cell, none of which runs.
    pub(super) fn new(
        cluster: &CassandraCluster,
        place: &'a Place,
        workers: usize,
        ordered: impl FnOnce(&mut WorkerOrder),
    ) -> Self {
        let store = cluster.store();
        let mut order = Fleet::order(place, &store);
        order.lease_ms = u64::try_from(LEASE.as_millis()).expect("a short lease");
        ordered(&mut order);
        Self {
            cli: Cli::new(&store),
            fleet: Fleet::new(place, workers, order),
            place,
            store,
            producer: None,
            own: BTreeSet::new(),
        }
    }

    /// Starts the workers, and a producer that never ends by itself.
    pub(super) fn start(&mut self) {
        self.fleet.start_all();
        let order = ProducerOrder {
            store: self.store.clone(),
            queue: QUEUE.into(),
            ledger: self.place.path("ledger").display().to_string(),
            first: 0,
            jobs: OWN,
            batch_max: 20,
            gate: None,
            pace_ms: 100,
            patient: true,
        };
        let order = serde_json::json!(order).to_string();
        self.producer = Some(Process::start(self.place, PRODUCER, [order], &[]));
    }

    /// Stores jobs by the command line.
    pub(super) fn enqueue(&mut self, jobs: impl IntoIterator<Item = (u64, Act)>) {
        let jobs = jobs
            .into_iter()
            .map(|(number, act)| Work::new(OWN + number, act));
        let jobs: Vec<_> = jobs.collect();
        self.own.extend(jobs.iter().map(|job| job.key));
        let count = jobs.len() as u64;
        assert_eq!(crate::scenes::enqueue(&self.cli, jobs), count);
    }

    /// Leaves jobs to the test, which has them done by other means.
    pub(super) fn forget(&mut self, jobs: &BTreeSet<u64>) {
        self.own.retain(|job| !jobs.contains(job));
    }

    /// What the producer was told is stored, and what the test stored.
    fn stored(&self) -> BTreeSet<u64> {
        let stored = Ledger::read(&self.place.path("ledger")).1;
        stored.into_iter().chain(self.own.iter().copied()).collect()
    }

    /// Waits until so many more jobs of the producer were stored, and so many more done.
    pub(super) fn until_it_goes_on(&self, what: &str, more: usize) {
        let done = || effects(self.place).count(Moment::End);
        let (stored_before, done_before) = (self.stored().len(), done());
        until(what, LONG, || {
            self.stored().len() >= stored_before + more && done() >= done_before + more
        });
    }

    /// Waits until so many jobs are done.
    pub(super) fn until_done(&self, jobs: usize) {
        until("jobs to be done", LONG, || self.done().len() >= jobs);
    }

    fn done(&self) -> BTreeSet<u64> {
        effects(self.place).keys(Moment::End).collect()
    }

    fn begun(&self) -> BTreeSet<u64> {
        effects(self.place).keys(Moment::Start).collect()
    }

    /// The jobs that are done and acknowledged for sure: of each worker all but the last, as many
    /// as it may still hold.
    fn acknowledged(&self) -> BTreeSet<u64> {
        let mut done: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for line in effects(self.place).all() {
            if line.moment == Moment::End {
                done.entry(line.life.clone()).or_default().push(line.key);
            }
        }
        let held = usize::try_from(leased_max(self.place)).expect("a small number");
        let settled = |jobs: Vec<u64>| {
            let count = jobs.len().saturating_sub(held);
            jobs.into_iter().take(count)
        };
        done.into_values().flat_map(settled).collect()
    }

    /// Ends the producer, then waits until all that was stored is done and nothing is left.
    pub(super) fn finish(&mut self) -> History {
        self.finish_within(LONG)
    }

    /// The same, for as long as many jobs take.
    pub(super) fn finish_within(&mut self, deadline: Duration) -> History {
        if let Some(mut producer) = self.producer.take() {
            assert_eq!(producer.ended(), None, "{}", producer.output());
            producer.kill();
        }
        until("all jobs to be done", deadline, || {
            self.done().is_superset(&self.stored())
        });
        until_empty(&self.cli, LONG);
        self.fleet.drain(LONG);
        let tried = Ledger::read(&self.place.path("ledger")).0;
        let tried = tried.into_iter().chain(self.own.iter().copied()).collect();
        let mut seen = history(self.place, &self.cli, &self.fleet, tried);
        seen.stored = self.stored();
        seen
    }
}

/// Asserts that nothing is lost, invented, or in two places, where repeats are to be expected.
pub(super) fn assert_nothing_is_lost(history: &History) {
    let fates = |violation: &Violation| {
        matches!(
            violation,
            Violation::Lost(_) | Violation::Phantom(_) | Violation::Twofold(_)
        )
    };
    let broken: Vec<_> = judge(history).into_iter().filter(fates).collect();
    assert_eq!(broken, [], "{} jobs", broken.len());
}

/// Asserts that nothing is lost and nothing was begun twice. A hand-out of which a fault left
/// unknown whether it was written may charge an attempt that nobody saw, once its lease has ended.
pub(super) fn assert_nothing_ran_twice(history: &History) {
    assert_only_these_ran_twice(history, &BTreeSet::new());
}

/// The same, but for jobs whose leases may have ended while nobody could extend them.
pub(super) fn assert_only_these_ran_twice(history: &History, excused: &BTreeSet<u64>) {
    let is_excused = |violation: &Violation| match violation {
        Violation::Overcharged(..) | Violation::OverchargedInAll(_) => true,
        Violation::Redelivered(job, _) | Violation::Overlap(job, _) => excused.contains(job),
        _ => false,
    };
    let broken: Vec<_> = judge(history)
        .into_iter()
        .filter(|violation| !is_excused(violation))
        .collect();
    assert_eq!(broken, []);
}

/// A time in which no store call can be done, for tests that measure how long it lasts.
#[derive(Debug)]
pub(super) struct Outage {
    since: Instant,
    /// What was acknowledged before.
    acknowledged: BTreeSet<u64>,
}

impl Outage {
    /// It begins, while a crew is at work.
    pub(super) fn begin(crew: &Crew<'_>) -> Self {
        let acknowledged = crew.acknowledged();
        assert!(
            !acknowledged.is_empty(),
            "nobody has worked for long enough"
        );
        Self {
            since: Instant::now(),
            acknowledged,
        }
    }

    /// It is over: waits until the crew goes on. Answers the jobs whose leases may have ended
    /// meanwhile, which are none where it was shorter than what is left of each lease, and never
    /// those that were acknowledged before.
    pub(super) fn end(self, crew: &Crew<'_>, jobs: usize) -> BTreeSet<u64> {
        let begun = crew.begun();
        crew.until_it_goes_on("jobs after the outage", jobs);
        // Leases are extended when a third of them is over.
        if self.since.elapsed() < LEASE / 2 {
            return BTreeSet::new();
        }
        begun.difference(&self.acknowledged).copied().collect()
    }
}
