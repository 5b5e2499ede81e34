//! A message that kills its worker every time.

use std::time::Duration;

use longshore_system_tests::{Act, Cli, Fleet, Place, Work, until};

use crate::scenes::{QUEUE, assert_sound, effects, enqueue, history};

const NEIGHBOURS: u64 = 60;

/// It ends in the dead letters; no neighbour does, and none is charged more than twice for it.
#[test]
fn a_killer_is_buried_and_no_neighbour_with_it() {
    let place = Place::new();
    a_killer_is_buried_and_no_neighbour_with_it_in(&place);
}

#[test]
fn a_killer_is_buried_and_no_neighbour_with_it_on_redis() {
    let place = Place::on_redis();
    a_killer_is_buried_and_no_neighbour_with_it_in(&place);
}

fn a_killer_is_buried_and_no_neighbour_with_it_in(place: &Place) {
    let cli = Cli::new(place.fast_store());
    let mut order = Fleet::order(place, &place.fast_store());
    order.lease_ms = 1_000;
    order.slots = 8;
    let killer = NEIGHBOURS / 2;
    let act = |key| {
        if key == killer {
            Act::Die
        } else {
            Act::Take(150)
        }
    };
    enqueue(&cli, (0..=NEIGHBOURS).map(|key| Work::new(key, act(key))));
    let mut fleet = Fleet::new(place, 2, order);
    fleet.start_all();
    until("an empty queue", Duration::from_secs(90), || {
        fleet.restart_the_fallen();
        cli.live(QUEUE) == 0
    });
    fleet.drain(Duration::from_secs(20));

    let seen = history(place, &cli, &fleet, (0..=NEIGHBOURS).collect());
    assert_sound(&seen);
    assert_eq!(seen.dead.keys().copied().collect::<Vec<_>>(), [killer]);
    // The policy allows 6 redeliveries, so 7 attempts; each of them cost one worker.
    let attempts = effects(place).attempts(killer);
    assert_eq!(
        attempts,
        [1, 2, 3, 4, 5, 6, 7],
        "it is tried as often as the policy says"
    );
    assert_eq!(seen.killed.len(), 7);
    for neighbour in (0..=NEIGHBOURS).filter(|key| *key != killer) {
        let attempts = effects(place).attempts(neighbour);
        assert!(
            attempts.last().is_some_and(|last| *last <= 3),
            "neighbour {neighbour} was charged for the killer: {attempts:?}"
        );
    }
    let letter = &cli.dead(QUEUE)[0];
    assert_eq!(letter["reason"], "vanished", "{letter}");
    let id = letter["id"].as_str().expect("an id");
    let shown = cli.json(&["dead", "show", QUEUE, id]);
    let labels: Vec<_> = shown["history"]
        .as_array()
        .expect("a history")
        .iter()
        .collect();
    let labels: Vec<_> = labels.iter().map(|attempt| &attempt["label"]).collect();
    // The eighth hand-out was not run: by then it was clear.
    assert_eq!(
        labels,
        [
            "lost", "lost", "lost", "lost", "lost", "lost", "lost", "vanished"
        ]
    );
}
