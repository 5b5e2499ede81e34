//! A handler that never ends, in a process whose runtime is well.

use std::time::Duration;

use longshore_system_tests::{Act, Cli, Fleet, Moment, Place, Work, until};

use crate::scenes::{QUEUE, effects, enqueue, until_empty};

/// Its lease is kept, so that nobody else starts the job; its timeout cancels it.
#[test]
fn a_hung_handler_is_cancelled_by_its_timeout() {
    let place = Place::new();
    a_hung_handler_is_cancelled_by_its_timeout_in(&place);
}

#[test]
fn a_hung_handler_is_cancelled_by_its_timeout_on_redis() {
    let place = Place::on_redis();
    a_hung_handler_is_cancelled_by_its_timeout_in(&place);
}

fn a_hung_handler_is_cancelled_by_its_timeout_in(place: &Place) {
    let cli = Cli::new(place.store());
    let mut order = Fleet::order(place, &place.store());
    order.slots = 2;
    order.lease_ms = 600;
    order.timeout_ms = 2_500;
    order.redeliveries = 1;
    enqueue(&cli, [Work::new(0, Act::Hang)]);
    let mut fleet = Fleet::new(place, 2, order);
    fleet.start_all();
    until("the job that hangs", Duration::from_secs(20), || {
        effects(place).count(Moment::Start) == 1
    });
    // Others have room beside it.
    enqueue(&cli, (1..=20).map(|key| Work::new(key, Act::Take(10))));
    until_empty(&cli, Duration::from_secs(30));
    fleet.drain(Duration::from_secs(10));

    let lines = effects(place);
    assert_eq!(
        lines.attempts(0),
        [1, 2],
        "its lease was kept until the timeout, twice"
    );
    assert_eq!(lines.count(Moment::End), 20);
    let letters = cli.dead(QUEUE);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["attempts"], 2, "{}", letters[0]);
    let id = letters[0]["id"].as_str().expect("an id");
    let shown = cli.json(&["dead", "show", QUEUE, id]);
    let history = shown["history"].as_array().expect("a history");
    assert_eq!(history.len(), 2, "{shown}");
    assert!(
        history.iter().all(|attempt| attempt["label"] == "timeout"),
        "{shown}"
    );
}
