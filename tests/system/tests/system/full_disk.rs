//! A disk that is full.

use std::fs;
use std::time::Duration;

use longshore_system_tests::{
    Act, Cli, Effects, Ending, Fleet, Moment, Place, SmallDisk, Work, until,
};

use crate::scenes::{QUEUE, enqueue, until_empty};

const TEST: &str = "full_disk::a_full_disk_refuses_enqueues_and_takes_acks";

/// Enqueue is refused while there is still room for acks, and everything that was stored is
/// worked.
#[test]
fn a_full_disk_refuses_enqueues_and_takes_acks() {
    let place = Place::new();
    let Some(disk) = SmallDisk::mount(&place, 128, TEST) else {
        return;
    };
    let store = format!("sqlite://{}", disk.path("queue.db").display());
    let cli = Cli::new(&store);
    let filler = disk.path("somebody-elses");
    fs::write(&filler, vec![0; 32 << 20]).expect("another file fits");
    // What a worker can work, and then ballast until it does not fit any more.
    let stored = enqueue(&cli, (0..500).map(|key| Work::new(key, Act::Take(0))));
    assert_eq!(stored, 500);
    let ballast = vec![b'x'; 900_000];
    let mut loads = 0;
    let refusal = loop {
        let answer = cli.call_with(&["enqueue", "ballast", "-"], &ballast);
        if answer.ending != Ending::Code(0) {
            break answer;
        }
        loads += 1;
        assert!(
            loads < 200,
            "a disk of 128 MiB took {loads} bodies of 900 kB"
        );
    };
    println!("{loads} loads of 900 kB, then: {}", refusal.stderr.trim());
    assert!(
        loads > 20,
        "refused after {loads} loads already: {refusal:?}"
    );
    assert!(
        matches!(refusal.ending, Ending::Code(69 | 75)),
        "{refusal:?}"
    );
    refusal.refuses(
        match refusal.ending {
            Ending::Code(code) => code,
            Ending::Signal(_) => -1,
        },
        "disk",
    );

    // Acks go on. The lines of the handlers are on another disk.
    let mut fleet = Fleet::new(&place, 2, Fleet::order(&place, &store));
    fleet.start_all();
    until_empty(&cli, Duration::from_secs(30));
    fleet.drain(Duration::from_secs(20));
    let effects = Effects::read(&place.path("effects"));
    assert_eq!(effects.count(Moment::End), 500);
    assert_eq!(
        effects.count(Moment::Start),
        500,
        "every ack was taken, at the first time"
    );
    assert_eq!(
        cli.queue("ballast")["waiting"],
        loads,
        "nothing was half stored"
    );

    // Room again: enqueue goes on.
    fs::remove_file(&filler).expect("the other file can be removed");
    until(
        "an enqueue that is taken again",
        Duration::from_secs(10),
        || {
            let again = cli.call_with(&["enqueue", QUEUE, "-"], b"after");
            again.ending == Ending::Code(0)
        },
    );
}
