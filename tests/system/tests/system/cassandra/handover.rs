//! Messages and receipts that go from one process to another.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use longshore_system_tests::{
    Act, Answer, CassandraCluster, Cli, Ending, Moment, Place, Work, until,
};
use serde_json::Value;

use super::crew::{Crew, LONG, assert_nothing_is_lost};
use crate::scenes::{QUEUE, assert_sound, effects, until_started};

const WORKERS: usize = 2;
const SLOTS: usize = 2;
const CALLS: u64 = 6;

/// How often a call is repeated that got nothing. A receive waits for owners for as long as the
/// store declares (`limits().handover_max`), and on a busy machine that may pass.
const TRIES: usize = 4;

/// Workers that have no free slot keep nothing from those who call once, be it one or six at the
/// same time, and what these got is worked by nobody else.
#[test]
fn calls_beside_busy_workers_get_messages() {
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    let place = Place::new();
    let mut crew = busy(&cluster, &place);
    crew.enqueue((100..160).map(|number| (number, Act::Take(1))));

    let alone = receive_some(&crew.cli);
    let mut got = numbers(&alone);
    let calls: Vec<_> = thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS)
            .map(|_| scope.spawn(|| receive_some(&crew.cli)))
            .collect();
        let answers = calls.into_iter();
        answers.map(|call| call.join().expect("a call")).collect()
    });
    for answer in &calls {
        let now = numbers(answer);
        assert!(got.is_disjoint(&now), "{now:?} twice, after {got:?}");
        got.extend(now);
    }
    let receipts: Vec<_> = calls.iter().chain([&alone]).flat_map(receipts).collect();
    settle(&crew.cli, "ack", &receipts, "applied", 0);
    place.write("go", "");
    crew.forget(&got);
    let history = crew.finish();
    let worked: BTreeSet<_> = history.effects.keys(Moment::Start).collect();
    assert!(worked.is_disjoint(&got), "{got:?} were worked all the same");
    assert_sound(&history);
}

/// Receipts that one process printed are extended and settled by others, while the workers own
/// the stripes that their messages lie on.
#[test]
fn receipts_of_one_process_are_extended_and_settled_by_others() {
    const LEASE: Duration = Duration::from_secs(20);
    let Some(cluster) = CassandraCluster::find() else {
        return;
    };
    let place = Place::new();
    let mut crew = busy(&cluster, &place);
    crew.enqueue((100..104).map(|number| (number, Act::Take(1))));
    let lease = format!("--lease={}s", LEASE.as_secs());
    let since = Instant::now();
    let mut got = Vec::new();
    until("all messages", LONG, || {
        let answer = receive(&crew.cli, &[&lease]);
        got.extend(json(&answer));
        got.len() == 4
    });
    let word = |index: usize| vec![got[index]["receipt"].as_str().expect("a word").to_owned()];
    let number = |index: usize| numbers_of(&got[index..=index]);
    // The workers take the stripes back, and would deliver what is free.
    place.write("go", "");
    crew.enqueue([(200, Act::Take(1))]);
    crew.until_done(SLOTS * WORKERS + 1);

    settle(&crew.cli, "ack", &word(0), "applied", 0);
    settle(&crew.cli, "retry", &word(1), "applied", 0);
    settle(&crew.cli, "retry", &word(1), "lease_lost", 4);
    extend(&crew.cli, &word(2), "10m");
    until("what was given back to be worked", LONG, || {
        done(&place).is_superset(&number(1))
    });
    // The last one is left alone: its lease ends, and shows that the time has passed.
    until("the end of a lease", LONG, || {
        done(&place).is_superset(&number(3))
    });
    assert!(since.elapsed() >= LEASE, "a lease ended before its time");
    settle(&crew.cli, "release", &word(3), "lease_lost", 4);
    assert_eq!(crew.cli.live(QUEUE), 1, "the extended one is not leased");
    settle(&crew.cli, "ack", &word(2), "applied", 0);

    crew.forget(&number(0));
    crew.forget(&number(2));
    let history = crew.finish();
    let worked: BTreeSet<_> = history.effects.keys(Moment::Start).collect();
    assert_nothing_is_lost(&history);
    for index in [0, 2] {
        assert!(worked.is_disjoint(&number(index)), "{index} was worked");
    }
    assert_eq!(
        history.effects.attempts(*number(1).first().expect("one")),
        [2]
    );
    assert_eq!(
        history.effects.attempts(*number(3).first().expect("one")),
        [2]
    );
}

/// Workers whose slots are all taken until the test says so.
fn busy<'a>(cluster: &CassandraCluster, place: &'a Place) -> Crew<'a> {
    let mut crew = Crew::new(cluster, place, WORKERS, |order| order.slots = 2);
    let slots = (SLOTS * WORKERS) as u64;
    crew.enqueue((0..slots).map(|number| (number, Act::Wait)));
    crew.fleet.start_all();
    until_started(place, WORKERS * SLOTS, LONG);
    crew
}

fn done(place: &Place) -> BTreeSet<u64> {
    effects(place).keys(Moment::End).collect()
}

/// A call that does not wait.
fn receive(cli: &Cli, options: &[&str]) -> Answer {
    cli.call(&[&["receive", QUEUE, "--wait=0s"], options].concat())
}

/// The first call of a few that got something.
fn receive_some(cli: &Cli) -> Answer {
    let calls = (1..=TRIES).map(|number| (number, receive(cli, &["--max=3", "--lease=10m"])));
    let mut calls = calls.filter(|(_, answer)| !json(answer).is_empty());
    let (number, answer) = calls
        .next()
        .expect("messages from workers that have no free slot");
    println!("got some with call {number}");
    answer
}

fn json(answer: &Answer) -> Vec<Value> {
    if answer.ending == Ending::Code(3) {
        return Vec::new();
    }
    let rows = answer.json();
    rows.as_array().expect("a list of messages").clone()
}

fn numbers(answer: &Answer) -> BTreeSet<u64> {
    numbers_of(&json(answer))
}

fn numbers_of(rows: &[Value]) -> BTreeSet<u64> {
    let job = |row: &Value| -> Work {
        let body = row["body"].as_str().expect("the body of a job is text");
        serde_json::from_str(body).expect("the body is a job")
    };
    rows.iter().map(|row| job(row).key).collect()
}

fn receipts(answer: &Answer) -> Vec<String> {
    let word = |row: &Value| row["receipt"].as_str().expect("a receipt").to_owned();
    json(answer).iter().map(word).collect()
}

fn settle(cli: &Cli, fate: &str, receipts: &[String], outcome: &str, code: i32) {
    let words = receipts.iter().map(String::as_str);
    let arguments: Vec<_> = ["settle", fate].into_iter().chain(words).collect();
    let answer = cli.call(&arguments);
    assert_eq!(answer.ending, Ending::Code(code), "{answer:?}");
    let rows: Vec<Value> = serde_json::from_str(&answer.stdout).expect("a list of outcomes");
    assert_eq!(rows.len(), receipts.len(), "{answer:?}");
    for row in rows {
        assert_eq!(row["outcome"], outcome, "{answer:?}");
    }
}

fn extend(cli: &Cli, receipts: &[String], lease: &str) {
    let mut arguments = vec!["extend", "--lease", lease];
    arguments.extend(receipts.iter().map(String::as_str));
    let rows = cli.json(&arguments);
    assert_eq!(rows[0]["outcome"], "applied", "{rows}");
}
