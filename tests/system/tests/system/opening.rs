//! Processes that open a new file at the same moment.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use longshore_system_tests::{Cli, Ending, LONGSHORE, Place, Process};

use crate::scenes::QUEUE;

/// Two at a time and eight at a time, each time on a file that is not there yet.
#[test]
fn processes_create_one_file_together() {
    for together in [2, 2, 2, 2, 8, 8] {
        let place = Place::new();
        let store = place.store();
        let start = |number: u32| {
            let body = number.to_string();
            let arguments = ["--store", &store, "enqueue", QUEUE, &body];
            Process::start(&place, LONGSHORE, arguments, &[])
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
        let mode = place
            .database()
            .metadata()
            .expect("the file is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "others may look into the queue");
    }
}
