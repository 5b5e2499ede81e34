//! `./tests/run soak`: a thousand kills and two hundred stops on each store, and a checker.
//!
//! Nothing may be lost, begun inside another's lease, or handed to a program by halves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use longshore_system_tests::{
    Act, CassandraCluster, Cli, Effects, Fleet, LONGSHORE, LeaseLog, LeasedStart, Moment, Place,
    Process, Violation, Work, inside_leases, until,
};
use rustix::process::Signal;

use crate::scenes::{assert_sound, effects, enqueue, history, until_empty};
use crate::stops::{pass, without_late_lines};

const KILLS: usize = 700;
const STOPS: usize = 200;
/// Of `longshore run`, in the middle of handing a body to a program.
const RUN_KILLS: usize = 300;
/// The same where it takes seconds until others have the work of one that was killed.
const RUN_KILLS_SLOW: usize = 100;
const WORKERS: usize = 3;
/// Minimum jobs that wait while workers are killed.
const BACKLOG: u64 = 3_000;
/// Four pipes full; every store takes it by default.
const BODY_BYTES: usize = 250_000;

#[test]
#[ignore = "it takes a quarter of an hour: ./tests/run soak"]
fn soak_on_sqlite() {
    let place = Place::new();
    let store = place.fast_store();
    soak(&place, &store, Duration::from_millis(900), RUN_KILLS);
}

#[test]
#[ignore = "it takes a quarter of an hour: ./tests/run soak"]
fn soak_on_redis() {
    let place = Place::on_redis();
    let store = place.store();
    soak(&place, &store, Duration::from_millis(900), RUN_KILLS);
}

#[test]
#[ignore = "it takes half an hour: ./tests/run soak"]
fn soak_on_cassandra() {
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    let place = Place::new();
    let lease = Duration::from_millis(2_500);
    soak(&place, &cluster.store(), lease, RUN_KILLS_SLOW);
}

fn soak(place: &Place, store: &str, lease: Duration, run_kills: usize) {
    let number = fastrand::u64(..);
    println!("the random numbers begin with {number}");
    let mut random = fastrand::Rng::with_seed(number);
    kill_and_stop(place, store, lease, &mut random);
    kill_among_bodies(place, store, run_kills, &mut random);
}

fn kill_and_stop(place: &Place, store: &str, lease: Duration, random: &mut fastrand::Rng) {
    let cli = Cli::new(store);
    let mut order = Fleet::order(place, store);
    order.lease_ms = u64::try_from(lease.as_millis()).expect("a short lease");
    order.slots = 8;
    order.redeliveries = 200;
    let leases = place.path("leases");
    order.leases = Some(leases.display().to_string());
    let mut fleet = Fleet::new(place, WORKERS, order);
    let (mut stored, mut kills) = (0, 0);
    let mut stopped = BTreeSet::new();
    let mut told = Instant::now();
    while kills < KILLS + STOPS || stopped.len() < STOPS {
        if kills % 20 == 0 {
            let done = effects(place).count(Moment::End) as u64;
            if stored < done + BACKLOG {
                let jobs =
                    (stored..stored + BACKLOG).map(|key| Work::new(key, Act::Take(key % 90)));
                stored += enqueue(&cli, jobs);
            }
        }
        if told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            println!("{kills} kills, {} of them after a stop", stopped.len());
        }
        fleet.start_all();
        pass(Duration::from_millis(random.u64(100..400)));
        let index = random.usize(0..WORKERS);
        // Each fifth or so, until there were enough.
        if stopped.len() < STOPS && random.u32(0..4) == 0 {
            fleet.process(index).stop();
            stopped.insert(fleet.life(index));
            pass(lease + Duration::from_millis(200));
            fleet.process(index).signal(Signal::CONT);
            pass(Duration::from_millis(150));
        }
        fleet.kill(index);
        kills += 1;
    }
    fleet.start_all();
    until_empty(&cli, Duration::from_secs(600));
    fleet.drain(Duration::from_secs(60));
    let mut seen = history(place, &cli, &fleet, (0..stored).collect());
    // A stopped process may leave a line late; what it begins late is judged below.
    let starts = LeaseLog::read(&leases);
    let inside = inside_leases(&starts, &seen.effects);
    seen.effects = without_late_lines(&seen.effects, &stopped);
    assert_sound(&seen);
    assert_eq!(seen.dead, BTreeMap::new());
    tell_of(&inside, &starts, &seen.effects, &stopped);
    let shown: Vec<_> = inside.iter().take(10).map(ToString::to_string).collect();
    assert!(inside.is_empty(), "{}: {shown:?}", inside.len());
    let again = seen.effects.count(Moment::Start) as u64 - stored;
    println!(
        "{stored} jobs, {kills} kills, {} of them after a stop: {again} repeated, 0 lost, 0 begun \
         inside another's lease",
        stopped.len()
    );
}

/// What is known of those that began too early, for the search for the reason.
fn tell_of(
    inside: &[Violation],
    starts: &[LeasedStart],
    effects: &Effects,
    stopped: &BTreeSet<String>,
) {
    for violation in inside.iter().take(10) {
        let Violation::InsideLease(key, ..) = violation else {
            continue;
        };
        for start in starts.iter().filter(|start| start.key == *key) {
            println!("{start:?}, stopped: {}", stopped.contains(&start.life));
        }
        for line in effects.all().iter().filter(|line| line.key == *key) {
            println!("{line:?}");
        }
    }
}

/// A program that reads its body slowly, and says whether that was all of it.
const ROUTES: &str = r#"
version = 1
[policy]
redeliveries = 1000
delay = "50ms"
[[route]]
name = "bodies"
from = { queue = "bodies" }
concurrency = 4
lease = "1s"
[[route.step]]
exec = { command = ["bash", "read-body"], stdin = "body", vars = { sum = "{{ headers.sum }}" } }
"#;
const READ_BODY: &str = r#"
echo begun >> begun
sum=$({ head -c 65536; sleep 0.05; cat; } | sha256sum | cut -d' ' -f1)
if [ "$sum" = "$LONGSHORE_VAR_SUM" ]; then echo whole >> bodies; else echo half >> bodies; fi
"#;

fn kill_among_bodies(place: &Place, store: &str, kills: usize, random: &mut fastrand::Rng) {
    let cli = Cli::new(store);
    place.write("read-body", READ_BODY);
    let routes = place.write("routes.toml", ROUTES).display().to_string();
    let body: String = std::iter::repeat_with(|| random.alphanumeric())
        .take(BODY_BYTES)
        .collect();
    let file = place.write("body", &body);
    let mut sum = std::process::Command::new("sha256sum");
    let sum = sum.arg(file).output().expect("sha256sum starts").stdout;
    let sum = String::from_utf8_lossy(&sum[..64]).into_owned();
    let line = serde_json::json!({ "body": body, "headers": { "sum": sum } }).to_string() + "\n";
    let start = || Process::start(place, LONGSHORE, ["--store", store, "run", &routes], &[]);
    let bodies = || fs::read_to_string(place.path("bodies")).unwrap_or_default();
    let begun = || fs::read_to_string(place.path("begun")).unwrap_or_default();
    let mut stored = 0;
    let mut runs = [start(), start()];
    for kill in 0..kills {
        if bodies().lines().count() as u64 + 20 > stored {
            stored += store_bodies(&cli, &line, 40);
        }
        // Something is at work.
        let before = begun().len();
        until("a body", Duration::from_secs(60), || begun().len() > before);
        pass(Duration::from_millis(random.u64(0..250)));
        runs[kill % 2].kill();
        runs[kill % 2] = start();
    }
    until("all bodies", Duration::from_secs(300), || {
        let queue = cli.queue("bodies");
        queue["waiting"] == 0 && queue["leased"] == 0 && queue["delayed"] == 0
    });
    let bodies = bodies();
    let halves = bodies.lines().filter(|line| *line != "whole").count();
    let told = format!(
        "{stored} bodies of {BODY_BYTES} bytes, {kills} kills of their workers: {} read, \
         {halves} halves",
        bodies.lines().count()
    );
    println!("{told}");
    assert_eq!(halves, 0, "{told}");
    assert!(bodies.lines().count() as u64 >= stored, "{told}");
    assert_eq!(cli.queue("bodies")["dead"], 0);
}

fn store_bodies(cli: &Cli, line: &str, count: usize) -> u64 {
    let input = line.repeat(count);
    let answer = cli.call_with(&["enqueue", "bodies", "--jsonl"], input.as_bytes());
    let counts = answer.json();
    assert_eq!(counts["failed"], 0, "{counts}");
    counts["stored"].as_u64().expect("a count")
}
