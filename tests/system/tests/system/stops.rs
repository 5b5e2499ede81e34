//! Workers with short leases that are killed, and stopped for longer than their leases, in turns.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use longshore_system_tests::{Act, Cli, Effect, Effects, Fleet, Moment, Place, Work, until};
use rustix::process::Signal;

use crate::scenes::{QUEUE, assert_sound, effects, enqueue, history, until_empty};

const LEASE: Duration = Duration::from_millis(900);

#[test]
fn killed_and_stopped_workers_lose_and_double_nothing_on_redis() {
    kill_and_stop(&Place::on_redis(), 12_000, Duration::from_secs(90));
}

/// The same for as long as it takes to move 100,000 messages.
#[test]
#[ignore = "it takes minutes"]
fn killed_and_stopped_workers_lose_and_double_nothing_of_many_on_redis() {
    kill_and_stop(&Place::on_redis(), 100_000, Duration::from_secs(900));
}

/// Two worker processes: one of them is always about to be killed, or stopped until its leases
/// have ended, woken up and then killed.
fn kill_and_stop(place: &Place, messages: u64, deadline: Duration) {
    let cli = Cli::new(place.store());
    enqueue(
        &cli,
        (0..messages).map(|key| Work::new(key, Act::Take(key % 60))),
    );
    let mut order = Fleet::order(place, &place.store());
    order.lease_ms = u64::try_from(LEASE.as_millis()).expect("a short lease");
    let mut fleet = Fleet::new(place, 2, order);
    fleet.start_all();
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let (start, mut stopped) = (Instant::now(), BTreeSet::new());
    let mut stops_now = false;
    while (effects(place).count(Moment::End) as u64) < messages * 95 / 100 {
        assert!(
            start.elapsed() < deadline,
            "the work does not come to its end"
        );
        pass(Duration::from_millis(random.u64(150..600)));
        let index = random.usize(0..2);
        stops_now = !stops_now;
        if stops_now {
            fleet.process(index).stop();
            stopped.insert(fleet.life(index));
            pass(LEASE + Duration::from_millis(300));
            fleet.process(index).signal(Signal::CONT);
            // What it says now comes too late.
            pass(Duration::from_millis(200));
        }
        fleet.kill(index);
        fleet.start_all();
    }
    until_empty(&cli, Duration::from_secs(60));
    fleet.drain(Duration::from_secs(30));
    let mut seen = history(place, &cli, &fleet, (0..messages).collect());
    seen.effects = without_late_lines(&seen.effects, &stopped);
    assert_sound(&seen);
    let again = seen.effects.count(Moment::Start) as u64 - messages;
    let (kills, stops) = (seen.killed.len(), stopped.len());
    println!("{kills} kills, {stops} of them after a stop, {again} repeated deliveries");
    assert!(
        kills >= 4 && stops >= 2 && again >= 5,
        "too little was tried"
    );
    assert_eq!(cli.queue(QUEUE)["dead"], 0);
}

/// Lets time pass: the other processes work meanwhile, and their leases end by it.
pub(crate) fn pass(span: Duration) {
    let end = Instant::now() + span;
    until("time to pass", span + Duration::from_secs(5), || {
        Instant::now() >= end
    });
}

/// The lines without those that a stopped life left after another worker had begun the job: a
/// process that slept cannot know that its leases have ended.
pub(crate) fn without_late_lines(effects: &Effects, stopped: &BTreeSet<String>) -> Effects {
    let mut holders: HashMap<u64, (&str, u32)> = HashMap::new();
    let mut kept: Vec<Effect> = Vec::new();
    for line in effects.all() {
        let holder = holders.get(&line.key);
        let is_late = stopped.contains(&line.life)
            && match line.moment {
                Moment::Start => holder.is_some_and(|(_, attempt)| *attempt > line.attempt),
                Moment::End => holder.is_none_or(|(life, _)| *life != line.life),
            };
        if is_late {
            continue;
        }
        if line.moment == Moment::Start {
            holders.insert(line.key, (&line.life, line.attempt));
        }
        kept.push(line.clone());
    }
    Effects::from(kept)
}
