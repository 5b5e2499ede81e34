//! Processes that open a new file at the same moment.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use longshore_system_tests::{Cli, Ending, LONGSHORE, Place, Process};

use crate::scenes::QUEUE;

/// The same on a server whose keys are not there yet.
#[test]
fn processes_create_one_queue_together_on_redis() {
    for together in [2, 8] {
        let place = Place::on_redis();
        create_together(&place, together);
    }
}

/// Two at a time and eight at a time, each time on a file that is not there yet.
#[test]
fn processes_create_one_file_together() {
    for together in [2, 2, 2, 2, 8, 8] {
        let place = Place::new();
        create_together(&place, together);
        let mode = place
            .database()
            .metadata()
            .expect("the file is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "others may look into the queue");
    }
}

fn create_together(place: &Place, together: u32) {
    let store = place.store();
    let start = |number: u32| {
        let body = number.to_string();
        let arguments = ["--store", &store, "enqueue", QUEUE, &body];
        Process::start(place, LONGSHORE, arguments, &[])
    };
    let mut producers: Vec<_> = (0..together).map(start).collect();
    for producer in &mut producers {
        let ending = producer.wait(Duration::from_secs(20));
        assert_eq!(ending, Ending::Code(0), "{}", producer.output());
    }
    let cli = Cli::new(&store);
    assert_eq!(
        cli.queue(QUEUE)["waiting"],
        together,
        "{}",
        cli.queue(QUEUE)
    );
}
