//! Workers that are killed at any moment lose nothing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use longshore_system_tests::{Act, Cli, Fleet, Moment, Place, Work, integrity, until};

use crate::scenes::{QUEUE, assert_sound, effects, enqueue_lines, history, until_empty};

const MESSAGES: u64 = 20_000;
/// One in ten belongs to one of so many groups.
const GROUPS: u64 = 40;

/// Four workers, 20,000 messages, a worker killed several times a second and started again.
#[test]
fn killed_workers_lose_nothing() {
    let place = Place::new();
    killed_workers_lose_nothing_in(&place);
}

#[test]
fn killed_workers_lose_nothing_on_redis() {
    let place = Place::on_redis();
    killed_workers_lose_nothing_in(&place);
}

fn killed_workers_lose_nothing_in(place: &Place) {
    let cli = Cli::new(place.fast_store());
    let groups: BTreeMap<u64, u64> = (0..MESSAGES)
        .filter(|key| key % 10 == 0)
        .map(|key| (key, key / 10 % GROUPS))
        .collect();
    let lines = (0..MESSAGES).map(|key| {
        let job = Work::new(key, Act::Take(key % 25));
        groups
            .get(&key)
            .map_or_else(|| job.line(), |group| job.line_of_group(*group))
    });
    assert_eq!(enqueue_lines(&cli, lines), MESSAGES);

    let mut fleet = Fleet::new(place, 4, Fleet::order(place, &place.fast_store()));
    fleet.start_all();
    kill_at_random(place, &mut fleet, 20_261_122);
    until_empty(&cli, Duration::from_secs(120));
    fleet.drain(Duration::from_secs(30));

    let mut history = history(place, &cli, &fleet, (0..MESSAGES).collect());
    history.groups = groups;
    assert_sound(&history);
    assert_eq!(
        history.dead,
        BTreeMap::new(),
        "no message kills its worker here"
    );
    let kills = history.killed.len();
    let again = history.effects.count(Moment::Start) as u64 - MESSAGES;
    println!("{kills} kills, {again} deliveries that were repeated");
    assert!(kills >= 15, "only {kills} kills: nothing was tried");
    assert!(
        again >= 15,
        "only {again} deliveries were repeated: the kills hit nothing"
    );
    assert_eq!(cli.queue(QUEUE)["dead"], 0);
    if place.has_file() {
        assert_eq!(integrity(&place.database()), "ok");
    }
}

/// Kills and starts workers until nearly all jobs were finished once.
fn kill_at_random(place: &Place, fleet: &mut Fleet<'_>, number: u64) {
    let mut random = fastrand::Rng::with_seed(number);
    let start = Instant::now();
    loop {
        let next = Instant::now() + Duration::from_millis(random.u64(60..350));
        until("the next kill", Duration::from_secs(5), || {
            Instant::now() >= next
        });
        let index = random.usize(0..4);
        fleet.kill(index);
        // The one killed before comes back: one of the four is always away.
        let back = random.usize(0..4);
        fleet.start(back);
        if random.bool() {
            fleet.start_all();
        }
        if effects(place).count(Moment::End) as u64 >= MESSAGES * 95 / 100 {
            break;
        }
        assert!(
            start.elapsed() < Duration::from_secs(150),
            "the work does not come to its end"
        );
    }
    fleet.start_all();
}
