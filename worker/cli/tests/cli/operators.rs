//! What operators leave running or ask in a script: watches, strict checks, what programs print,
//! how long dead letters are kept.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use super::stage::{Ended, Stage, finish, send, until};

#[test]
fn a_watch_shows_the_numbers_again_and_again() {
    let stage = Stage::new();
    stage.enqueue(&["q", "a"]);
    let mut child = stage
        .command()
        .args(["queues", "q", "--watch=100ms", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut waiting = || {
        let rows: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        rows[0]["waiting"].as_u64().unwrap()
    };
    assert_eq!(waiting(), 1);
    stage.enqueue(&["q", "b"]);
    until("it is shown", || waiting() == 2);
    send(&child, Signal::TERM);
    child.wait().unwrap();
    let both = stage.run(&["queues", "--watch", "--over", "1s"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
}

#[test]
fn a_strict_doctor_ends_with_5_for_what_it_warns_of() {
    let stage = Stage::new();
    stage.dead_letter("q", "x", "no such user");
    let lax = stage.run(&["doctor"]);
    assert_eq!(lax.code, Some(0), "{}", lax.stderr);
    let text = String::from_utf8(lax.stdout).unwrap();
    assert!(
        text.contains("queue q: 1 dead letter to decide about"),
        "{text}"
    );
    assert_eq!(stage.run(&["doctor", "--strict"]).code, Some(5));
    stage.run(&["dead", "discard", "q", "--yes"]);
    let clean = stage.run(&["doctor", "--strict"]);
    let text = String::from_utf8(clean.stdout).unwrap();
    assert_eq!(clean.code, Some(0), "{text}");
}

const PRINTS: &str = r"printf 'hidden\033[31m\n'; echo told >&2; printf 'no end' >&2";

/// A run to the end with a log of this level.
fn run_logged(stage: &Stage, level: &str) -> Ended {
    let mut command = stage.command();
    command.args(["run", "routes.toml", "--until-idle"]);
    command.env("LONGSHORE_LOG", level);
    let ended = Ended::of(command.output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended
}

/// What a step's program prints, as the log of a worker shows it.
fn logged(level: &str, more: &str) -> String {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        format!(
            "version = 1\n[[route]]\nname = 'r'\nfrom = {{ queue = 'q' }}\n[[route.step]]\n\
             exec = {{ command = ['sh', '-c', '''{PRINTS}'''] {more} }}\n"
        ),
    );
    let id = stage.enqueue(&["q", "x"]);
    let ended = run_logged(&stage, level);
    assert!(!ended.stderr.contains('\u{1b}'), "{:?}", ended.stderr);
    let lines = ended.stderr.lines();
    let of_program = lines.filter(|line| line.contains("stream="));
    let of_program: Vec<&str> = of_program.collect();
    assert!(
        of_program.iter().all(|line| line.contains(&id)),
        "{of_program:?}"
    );
    of_program.join("\n")
}

#[test]
fn what_a_program_prints_is_in_the_log_where_that_is_asked_for() {
    assert_eq!(logged("info", ""), "");
    let all = logged("debug", "");
    for part in ["told", "no end", r"hidden\u{1b}[31m"] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let stderr = logged("info", ", log = 'stderr'");
    assert!(
        stderr.contains("told") && stderr.contains("no end"),
        "{stderr}"
    );
    assert!(!stderr.contains("hidden"), "{stderr}");
    let output = logged("info", ", log = 'output'");
    assert!(
        output.contains("told") && output.contains("hidden"),
        "{output}"
    );
}

#[test]
fn dead_letters_are_kept_as_long_as_the_queue_says() {
    let stage = Stage::new();
    stage.dead_letter("q", "x", "no such user");
    stage.dead_letter("other", "x", "no such user");
    stage.write(
        "routes.toml",
        "version = 1\n[queue.q]\ndead_keep = '1s'\n[[route]]\nname = 'r'\nfrom = { queue = 'q' }\n\
         [[route.step]]\nlog = { message = 'x' }\n[[route]]\nname = 's'\nfrom = { queue = 'other' }\n\
         [[route.step]]\nlog = { message = 'x' }\n",
    );
    let child = stage.start(&["run", "routes.toml"]);
    until("it is discarded", || stage.queue("q")["dead"] == 0);
    send(&child, Signal::TERM);
    let ended = finish(child, b"");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("older than dead_keep"),
        "{}",
        ended.stderr
    );
    assert_eq!(stage.queue("other")["dead"], 1, "forever");
}

#[test]
fn a_worker_says_what_it_took_over() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    stage.run(&["receive", "q", "--lease", "1s"]);
    stage.write(
        "routes.toml",
        "version = 1\n[[route]]\nname = 'r'\nfrom = { queue = 'q' }\n\
         [[route.step]]\nlog = { message = 'x' }\n",
    );
    let ended = run_logged(&stage, "info");
    assert!(
        ended.stderr.contains("taken over from a worker"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_empty_queue_can_be_deleted_and_no_other() {
    let stage = Stage::new();
    let id = stage.dead_letter("q", "x", "no such user");
    stage.enqueue(&["q", "y"]);
    let refused = stage.run(&["delete", "q"]);
    refused.refused(4, "holds 1 message and 1 dead letter");
    stage.run(&["purge", "q", "--yes"]);
    stage.run(&["dead", "discard", "q", &id]);
    let deleted = stage.json(&["delete", "q", "--json"]);
    assert_eq!(
        deleted,
        serde_json::json!({ "queue": "q", "deleted": true })
    );
    assert_eq!(stage.json(&["queues", "--json"]), serde_json::json!([]));
    stage.run(&["delete", "q"]).refused(3, "there is no queue");
    stage.enqueue(&["q", "z"]);
    assert_eq!(stage.queue("q")["waiting"], 1);
}
