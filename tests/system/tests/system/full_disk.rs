//! A disk that is full.

use std::fs;
use std::io::Write as _;
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
    let Some(disk) = SmallDisk::mount(&place, 32, TEST) else {
        return;
    };
    let store = format!("sqlite://{}", disk.path("queue.db").display());
    let cli = Cli::new(&store);
    let filler = disk.path("somebody-elses");
    fs::write(&filler, vec![0; 4 << 20]).expect("another file fits");
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
            "a disk of 32 MiB took {loads} bodies of 900 kB"
        );
    };
    println!("{loads} loads of 900 kB, then: {}", refusal.stderr.trim());
    assert!(
        loads > 5,
        "refused after {loads} loads already: {refusal:?}"
    );
    refusal.refuses(75, "disk");

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

    // Room again, inside the file: enqueue goes on, although the file does not shrink.
    let purged = cli.call(&["purge", "ballast", "--yes"]);
    assert_eq!(purged.ending, Ending::Code(0), "{purged:?}");
    until(
        "an enqueue that is taken again",
        Duration::from_secs(10),
        || {
            let again = cli.call_with(&["enqueue", QUEUE, "-"], b"after");
            again.ending == Ending::Code(0)
        },
    );
}

const TO_THE_LAST_BYTE: &str = "full_disk::a_disk_without_a_free_byte_is_told_the_same_way";

/// Whichever file of the store it is that does not fit, the answer is to try again later.
#[test]
fn a_disk_without_a_free_byte_is_told_the_same_way() {
    let place = Place::new();
    let Some(disk) = SmallDisk::mount(&place, 2, TO_THE_LAST_BYTE) else {
        return;
    };
    let old = Cli::new(format!("sqlite://{}", disk.path("old.db").display()));
    assert_eq!(enqueue(&old, [Work::new(1, Act::Take(0))].into_iter()), 1);
    let filler = disk.path("somebody-elses");
    // As `cp` would: all that fits, then an error.
    let mut file = fs::File::create(filler).expect("another file fits");
    while file.write_all(&[0; 1024]).is_ok() {}
    let new = Cli::new(format!("sqlite://{}", disk.path("new.db").display()));
    for (cli, args) in [
        (&old, ["enqueue", "q", "x"].as_slice()),
        (&old, &["queues"]),
        (&old, &["receive", QUEUE]),
        (&new, &["enqueue", "q", "x"]),
    ] {
        cli.call(args).refuses(75, "the disk is full");
    }
}
