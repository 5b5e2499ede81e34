//! Everything at once: workers killed and stopped in turns, and a node that goes and comes back.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use longshore_system_tests::{
    Act, CassandraCluster, Effects, History, Moment, NodesAway, Place, until,
};
use rustix::process::Signal;

use super::crew::Crew;
use crate::scenes::{QUEUE, assert_sound, effects};
use crate::stops::{pass, without_late_lines};

const WORKERS: usize = 3;

/// So often at the least a worker is killed, every other time after it was stopped.
const ROUNDS: usize = 6;

/// More messages come while there was too little to disturb: so many at a time.
const MORE: u64 = 1000;

/// Longer than it takes until the others take a process for dead.
const LEASE: Duration = Duration::from_secs(8);

#[test]
fn killed_and_stopped_workers_and_a_killed_node_lose_nothing_on_cassandra() {
    kill_and_stop(4_000, Duration::from_secs(600));
}

/// The same for as long as it takes to move 100,000 messages.
#[test]
#[ignore = "it takes many minutes"]
fn killed_and_stopped_workers_and_a_killed_node_lose_nothing_of_many_on_cassandra() {
    kill_and_stop(100_000, Duration::from_secs(7_200));
}

/// Three worker processes: one of them is always about to be killed, or stopped until others
/// took it for dead, woken up and then killed. A node is away for the middle third.
fn kill_and_stop(messages: u64, deadline: Duration) {
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    let place = Place::new();
    let mut crew = Crew::new(&cluster, &place, WORKERS, |order| {
        order.lease_ms = u64::try_from(LEASE.as_millis()).expect("a short lease");
        order.redeliveries = 40;
    });
    let start = Instant::now();
    crew.enqueue((0..messages).map(|key| (key, Act::Take(key % 60))));
    println!("{messages} messages stored in {:?}", start.elapsed());
    crew.fleet.start_all();
    let start = Instant::now();
    let (stopped, messages) = disturb(&cluster, &place, &mut crew, messages, start + deadline);
    let mut seen = crew.finish_within(deadline);
    println!("{messages} messages done in {:?}", start.elapsed());
    let all = seen.effects.all().len();
    seen.effects = without_late_starts(&seen.effects, &stopped);
    println!("{} late starts", all - seen.effects.all().len());
    seen.effects = without_late_lines(&seen.effects, &stopped);
    assert_sound(&seen);
    let again = explained(&seen);
    let (kills, stops) = (seen.killed.len(), stopped.len());
    println!("{kills} kills, {stops} of them after a stop, {again} repeated deliveries");
    assert!(
        kills >= 4 && stops >= 2 && again >= 5,
        "too little was tried"
    );
    assert_eq!(crew.cli.queue(QUEUE)["dead"], 0);
}

/// Disturbs until nearly all is done. Answers the lives that stood still, and how many messages
/// there were in the end.
fn disturb(
    cluster: &CassandraCluster,
    place: &Place,
    crew: &mut Crew<'_>,
    mut messages: u64,
    deadline: Instant,
) -> (BTreeSet<String>, u64) {
    let mut rounds = 0;
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let (mut stopped, mut stops_now) = (BTreeSet::new(), false);
    let mut node = Node::There;
    loop {
        let done = effects(place).count(Moment::End) as u64;
        node = node.after(cluster, done, messages);
        if done >= messages * 95 / 100 {
            if rounds >= ROUNDS {
                return (stopped, messages);
            }
            crew.enqueue((messages..messages + MORE).map(|key| (key, Act::Take(key % 60))));
            messages += MORE;
        }
        rounds += 1;
        assert!(Instant::now() < deadline, "{done} of {messages} jobs done");
        pass(Duration::from_millis(random.u64(300..1_500)));
        let index = random.usize(0..WORKERS);
        stops_now = !stops_now;
        if stops_now {
            stopped.insert(crew.fleet.life(index));
            crew.fleet.process(index).stop();
            until_leases_have_ended(place, &crew.fleet.life(index));
            crew.fleet.process(index).signal(Signal::CONT);
            // What it says now comes too late.
            pass(Duration::from_millis(500));
        }
        crew.fleet.kill(index);
        crew.fleet.start_all();
    }
}

/// Its leases have ended when one of its jobs was begun by another; if it had none, by time.
fn until_leases_have_ended(place: &Place, sleeper: &str) {
    let held = held_by(&effects(place), sleeper);
    let begin = Instant::now();
    until("the end of a lease", 20 * LEASE, || {
        begin.elapsed() > 2 * LEASE
            || held
                .iter()
                .any(|key| effects(place).attempts(*key).len() > 1)
    });
}

/// The jobs that a life has begun and not finished.
fn held_by(effects: &Effects, life: &str) -> BTreeSet<u64> {
    let mut held = BTreeSet::new();
    for line in effects.all().iter().filter(|line| line.life == life) {
        match line.moment {
            Moment::Start => held.insert(line.key),
            Moment::End => held.remove(&line.key),
        };
    }
    held
}

/// The node that goes and comes back.
enum Node<'a> {
    There,
    Away(NodesAway<'a>),
    Back,
}

impl<'a> Node<'a> {
    fn after(self, cluster: &'a CassandraCluster, done: u64, messages: u64) -> Self {
        match self {
            Self::There if done >= messages / 3 => Self::Away(cluster.kill(&[2])),
            Self::Away(node) if done >= messages * 2 / 3 => {
                node.back();
                Self::Back
            }
            same => same,
        }
    }
}

/// The lines without starts that a stopped life made when it woke up, of jobs that another one
/// had begun meanwhile: it had them in hand, and no store can take them out of it.
fn without_late_starts(effects: &Effects, stopped: &BTreeSet<String>) -> Effects {
    let mut holders: HashMap<u64, (&str, u32)> = HashMap::new();
    let mut kept = Vec::new();
    for line in effects.all() {
        if line.moment == Moment::Start {
            let holder = holders.get(&line.key);
            let is_begun = holder
                .is_some_and(|(life, attempt)| *life != line.life && *attempt >= line.attempt);
            if is_begun && stopped.contains(&line.life) {
                continue;
            }
            holders.insert(line.key, (&line.life, line.attempt));
        }
        kept.push(line.clone());
    }
    Effects::from(kept)
}

/// How many deliveries were repeats. Each follows one by a process that was killed, or stood
/// still, and never gave it back: its lease came to an end.
fn explained(history: &History) -> usize {
    let mut holders = HashMap::new();
    let mut repeats = 0;
    for line in history.effects.all() {
        if line.moment != Moment::Start {
            continue;
        }
        if let Some(before) = holders.insert(line.key, &line.life) {
            repeats += 1;
            assert!(
                history.killed.contains(before),
                "job {} was repeated after {before}, which was well",
                line.key
            );
        }
    }
    repeats
}
