//! The quickstart, with its real log: run, run again, mended, by two processes, and killed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use longshore_system_tests::{Cli, Ending, LONGSHORE, Place, Process, until};
use serde_json::Value;

const LINES: u64 = 4_000;
const BROKEN: u64 = 40;
/// Lines whose upstream was away at the first try.
const AWAY: u64 = 58;
const QUEUE: &str = "route.access";

/// A copy of the quickstart, so that runs leave nothing in the repository.
fn stage(place: &Place) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here
        .ancestors()
        .nth(2)
        .expect("this crate lies in the repository");
    let from = root.join("examples/quickstart");
    for name in ["access.log", "parse-line", "quickstart.toml"] {
        fs::copy(from.join(name), place.path(name)).expect("the quickstart can be copied");
    }
    place.path("quickstart.toml")
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).expect("the route file can be read");
    assert!(text.contains(from), "the route file has no {from}");
    fs::write(file, text.replace(from, to)).expect("the route file can be written");
}

fn run(cli: &Cli, file: &Path) -> Value {
    let file = file.display().to_string();
    cli.json(&["run", &file, "--until-idle"])
}

/// The ids in the records that the run wrote, each as often as it is there.
fn records(place: &Place) -> Vec<String> {
    let text = fs::read_to_string(place.path("out/parsed.jsonl")).unwrap_or_default();
    let lines = text.lines();
    lines
        .map(|line| {
            let record: Value = serde_json::from_str(line).expect("a record is a line of JSON");
            record["id"]
                .as_str()
                .expect("a record has an id")
                .to_owned()
        })
        .collect()
}

#[test]
fn it_does_what_its_page_says() {
    let place = Place::new();
    let file = stage(&place);
    let cli = Cli::new(place.store());
    let first = run(&cli, &file);
    assert_eq!(first["acked"], LINES - BROKEN, "{first}");
    assert_eq!(first["retried"], AWAY, "{first}");
    assert_eq!(first["dead"], BROKEN, "{first}");
    assert!(
        first["seconds"]
            .as_f64()
            .is_some_and(|seconds| seconds < 30.0),
        "{first}"
    );
    let distinct: BTreeSet<_> = records(&place).into_iter().collect();
    assert_eq!(records(&place).len() as u64, LINES - BROKEN);
    assert_eq!(distinct.len() as u64, LINES - BROKEN);

    let again = run(&cli, &file);
    assert_eq!(again["acked"], 0, "the log was read before: {again}");

    edit(&file, "LENIENT = \"no\"", "LENIENT = \"yes\"");
    let what = ["--where", "error~agent without an end", "--yes"];
    let redriven = cli.call(&[["dead", "redrive", QUEUE].as_slice(), &what].concat());
    assert_eq!(redriven.ending, Ending::Code(0), "{redriven:?}");
    let mended = run(&cli, &file);
    assert_eq!(mended["acked"], 10, "{mended}");
    assert_eq!(cli.queue(QUEUE)["dead"], BROKEN - 10);
}

#[test]
fn two_processes_share_it() {
    let place = Place::new();
    let file = stage(&place);
    let store = place.store();
    let arguments = [
        "--store",
        &store,
        "run",
        &file.display().to_string(),
        "--until-idle",
    ];
    let mut both: Vec<_> = (0..2)
        .map(|_| Process::start(&place, LONGSHORE, arguments, &[]))
        .collect();
    for process in &mut both {
        assert_eq!(
            process.wait(Duration::from_secs(60)),
            Ending::Code(0),
            "{}",
            process.output()
        );
    }
    let distinct: BTreeSet<_> = records(&place).into_iter().collect();
    assert_eq!(
        records(&place).len() as u64,
        LINES - BROKEN,
        "no line is worked twice"
    );
    assert_eq!(distinct.len() as u64, LINES - BROKEN);
    assert_eq!(Cli::new(store).queue(QUEUE)["dead"], BROKEN);
}

#[test]
fn killed_and_run_again_it_loses_no_line() {
    let place = Place::new();
    let file = stage(&place);
    // Shorter than the minute of the default, so that the test need not wait for it.
    edit(&file, "concurrency = 8", "concurrency = 8\nlease = \"3s\"");
    let store = place.store();
    let arguments = [
        "--store",
        &store,
        "run",
        &file.display().to_string(),
        "--until-idle",
    ];
    for share in [500, 1_500, 3_000] {
        let mut process = Process::start(&place, LONGSHORE, arguments, &[]);
        until("some more records", Duration::from_secs(60), || {
            let text = fs::read_to_string(place.path("out/parsed.jsonl")).unwrap_or_default();
            text.lines().count() >= share
        });
        assert_eq!(process.kill(), Ending::Signal(9), "{}", process.output());
    }
    let cli = Cli::new(&store);
    run(&cli, &file);
    // Delivery is at least once: what was killed between its record and its ack has two. A kill
    // hits what is in the slots, and as much again whose end is on its way to the store.
    let all = records(&place);
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len() as u64, LINES - BROKEN);
    assert!(
        all.len() <= distinct.len() + 3 * 2 * 8,
        "{} records",
        all.len()
    );
    assert_eq!(cli.queue(QUEUE)["dead"], BROKEN);
}
