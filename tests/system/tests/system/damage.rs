//! Files that are not what they should be: refused, and not touched.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use longshore_system_tests::{
    Answer, Cli, Ending, LONGSHORE, Place, Process, make_foreign_database, settle_into_one_file,
    until,
};

use crate::scenes::QUEUE;

/// Where a SQLite file keeps its user version and its application id.
const USER_VERSION: usize = 60;
const APPLICATION_ID: usize = 68;

/// No wait of these tests is longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place with a store in it that holds two messages, and nobody at it.
fn place_with_store() -> (Place, Cli) {
    let place = Place::new();
    let cli = Cli::new(place.store());
    for body in ["needle-in-a-haystack", "another"] {
        assert_eq!(cli.call(&["enqueue", QUEUE, body]).ending, Ending::Code(0));
    }
    settle_into_one_file(&place.database());
    (place, cli)
}

fn patch(path: &Path, at: usize, bytes: &[u8]) {
    let mut content = fs::read(path).expect("the file can be read");
    content[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(path, content).expect("the file can be written");
}

/// Every file of the place and what is in it, what processes printed aside.
fn snapshot(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(place.folder()).expect("the folder can be read");
    let files = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file());
    files
        .map(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (name, fs::read(&path).expect("the file can be read"))
        })
        .collect()
}

/// Every verb that would read or write is refused with this code, in words, and every file is as
/// it was.
fn assert_refused(place: &Place, cli: &Cli, code: i32, saying: &str) {
    let before = snapshot(place);
    assert_all_refused(cli, code, saying);
    let after = snapshot(place);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after), "a file was made or removed");
    assert!(before == after, "a file was changed");
}

fn assert_all_refused(cli: &Cli, code: i32, saying: &str) {
    let calls: [&[&str]; 4] = [
        &["enqueue", QUEUE, "new"],
        &["queues"],
        &["receive", QUEUE],
        &["purge", QUEUE, "--yes"],
    ];
    for call in calls {
        let answer: Answer = cli.call(call);
        answer.refuses(code, saying);
        assert_eq!(answer.stdout.trim(), "", "{answer:?}");
    }
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let place = Place::new();
    place.write("queue.db", "Dear diary,\n".repeat(1_000));
    assert_refused(&place, &Cli::new(place.store()), 70, "queue.db");
}

#[test]
fn a_damaged_head_is_left_alone() {
    let (place, cli) = place_with_store();
    patch(&place.database(), 0, b"not a head");
    assert_refused(&place, &cli, 70, "queue.db");
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let place = Place::new();
    make_foreign_database(&place.database());
    assert_refused(&place, &Cli::new(place.store()), 70, "queue.db");
    let (place, cli) = place_with_store();
    patch(&place.database(), APPLICATION_ID, b"else");
    assert_refused(&place, &cli, 70, "queue.db");
}

#[test]
fn a_database_of_a_newer_longshore_is_left_alone() {
    let (place, cli) = place_with_store();
    patch(&place.database(), USER_VERSION, &9_999_u32.to_be_bytes());
    assert_refused(&place, &cli, 78, "newer");
}

#[test]
fn half_a_database_is_left_alone() {
    let (place, cli) = place_with_store();
    let content = fs::read(place.database()).expect("the file can be read");
    let half = &content[..content.len() / 2];
    fs::write(place.database(), half).expect("the file can be cut");
    // Its head is ours, so that SQLite may put its companions beside it; the file stays.
    assert_all_refused(&cli, 70, "queue.db");
    assert!(fs::read(place.database()).expect("the file can be read") == half);
}

#[test]
fn a_directory_is_no_database() {
    let place = Place::new();
    fs::create_dir(place.database()).expect("a folder can be made");
    assert_refused(&place, &Cli::new(place.store()), 78, "directory");
}

#[test]
fn a_missing_folder_is_named() {
    let place = Place::new();
    let store = format!("sqlite://{}", place.path("nowhere/queue.db").display());
    assert_refused(&place, &Cli::new(store), 78, "nowhere");
}

#[test]
fn a_file_that_may_not_be_written_is_refused() {
    let (place, cli) = place_with_store();
    fs::set_permissions(place.database(), fs::Permissions::from_mode(0o400)).expect("a mode");
    let before = snapshot(&place);
    cli.call(&["enqueue", QUEUE, "new"]).refuses(77, "queue.db");
    assert!(before == snapshot(&place), "a file was changed");
}

/// One byte of one body: that message is a dead letter with its raw bytes, the others go on.
#[test]
fn a_damaged_message_is_set_aside_alone() {
    let (place, cli) = place_with_store();
    let content = fs::read(place.database()).expect("the file can be read");
    let needle = b"needle-in-a-haystack";
    let found = content
        .windows(needle.len())
        .position(|bytes| bytes == needle);
    patch(
        &place.database(),
        found.expect("the body is stored as it is"),
        b"N",
    );
    let received = cli.json(&["receive", QUEUE, "--max", "10"]);
    let bodies: Vec<_> = received
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| &m["body"])
        .collect();
    assert_eq!(bodies, ["another"]);
    let letters = cli.dead(QUEUE);
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0]["reason"], "damaged", "{}", letters[0]);
}

/// Counters that say more than there is: every loop ends, `doctor` and `fsck` name them, and
/// `fsck --repair` mends them.
#[test]
fn wrong_counters_are_named_and_mended_and_nothing_goes_on_for_ever() {
    let (place, cli) = place_with_store();
    let file = rusqlite::Connection::open(place.database()).expect("it can be opened");
    file.execute("UPDATE queue SET waiting = 5", ())
        .expect("it can be written");
    drop(file);
    let doctor = cli.call(&["doctor"]);
    let named = "waiting says 5, 2 are there";
    assert!(doctor.stdout.contains(named), "{}", doctor.stdout);
    let fsck = |more: &[&str], code| {
        let answer = cli.call(&[&["fsck", QUEUE], more].concat());
        assert_eq!(answer.ending, Ending::Code(code), "{}", answer.stdout);
    };
    cli.call(&["purge", QUEUE, "--yes"]).refuses(70, "fsck");
    let routes = place.folder().join("routes.toml");
    let text = format!(
        "[[route]]\nname = 'r'\nfrom = {{ queue = '{QUEUE}' }}\n[[route.step]]\nlog = {{ message = 'x' }}\n"
    );
    fs::write(&routes, text).expect("it can be written");
    let run = cli.call(&["run", &routes.to_string_lossy(), "--until-idle", "--json"]);
    run.refuses(4, "none is there");
    fsck(&[], 5);
    fsck(&["--repair"], 0);
    fsck(&[], 0);
    assert_eq!(cli.queue(QUEUE)["waiting"], 0);
}

/// A part that cannot be read becomes a dead letter by itself, and its epoch goes on without it.
#[test]
fn a_damaged_part_is_set_aside_and_the_others_are_released() {
    let place = Place::new();
    let carts = Carts::with_a_damaged_part(&place, "");
    carts.ends(&["run", &carts.routes, "--until-idle"], 0);
    assert_eq!(carts.cli.json(&["peek", "out"])[0]["body"], "[1,3]");
    let dead = carts.cli.dead("aggregate.carts");
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!(dead[0]["reason"], "damaged");
}

/// Where the step says so its epoch waits for it, and says why, until it is mended.
#[test]
fn a_damaged_part_holds_its_epoch_where_the_step_says_so() {
    let place = Place::new();
    let carts = Carts::with_a_damaged_part(&place, ", damaged = 'wait'");
    let run = [
        "--store",
        carts.cli.store(),
        "run",
        &carts.routes,
        "--until-idle",
    ];
    let mut worker = Process::start(&place, LONGSHORE, run, &[]);
    until("the worker to say that it waits", PATIENCE, || {
        worker.output().contains("cannot be read")
    });
    assert_eq!(worker.ended(), None, "{}", worker.output());
    let closed = carts.cli.json(&["aggregates", "list", "carts"]);
    assert_eq!(closed[0]["state"], "closed", "{closed}");
    assert_eq!(carts.cli.live("out"), 0);
    carts.replace("7", "2");
    assert_eq!(
        worker.wait(PATIENCE),
        Ending::Code(0),
        "{}",
        worker.output()
    );
    assert_eq!(carts.cli.json(&["peek", "out"])[0]["body"], "[1,2,3]");
    carts.ends(&["dead", "list", "aggregate.carts"], 3);
}

/// A store with an epoch of three parts, the second of which is damaged.
struct Carts<'a> {
    place: &'a Place,
    cli: Cli,
    routes: String,
}

impl<'a> Carts<'a> {
    fn with_a_damaged_part(place: &'a Place, keys: &str) -> Self {
        let step = format!(
            "[[route]]\nname = 'carts'\nfrom = {{ queue = 'orders' }}\n[[route.step]]\n\
             aggregate = {{ by = 'all', to = 'out', size = 3{keys} }}\n"
        );
        let carts = Self {
            place,
            cli: Cli::new(place.store()),
            routes: place.write("routes.toml", &step).display().to_string(),
        };
        carts.ends(&["enqueue", "orders", "1"], 0);
        carts.ends(&["enqueue", "orders", "2"], 0);
        // The epoch is open still: nothing completes it.
        carts.ends(&["run", &carts.routes, "--until-idle"], 4);
        carts.replace("2", "7");
        carts.ends(&["enqueue", "orders", "3"], 0);
        carts
    }

    fn ends(&self, args: &[&str], code: i32) {
        assert_eq!(self.cli.call(args).ending, Ending::Code(code));
    }

    /// Replaces the body of a part.
    fn replace(&self, body: &str, by: &str) {
        let database = rusqlite::Connection::open(self.place.database()).expect("the file opens");
        let replaced = database.execute(
            "UPDATE part SET body = ?2 WHERE body = ?1",
            [body.as_bytes(), by.as_bytes()],
        );
        assert_eq!(replaced.expect("an update"), 1);
    }
}
