//! What signals do to verbs that run for long.

use std::io::Write as _;
use std::process::{Child, Stdio};

use rustix::process::Signal;

use super::stage::{Ended, Stage, finish, send, until};

const ROUTES: &str = r#"
version = 1
[[route]]
name = "work"
from = { queue = "work" }
[[route.step]]
exec = { command = ["sh", "-c", "echo start >> ran; sleep 1; echo end >> ran"] }
"#;

/// Starts a worker with one job in hand.
fn at_work(stage: &Stage) -> Child {
    stage.write("routes.toml", ROUTES);
    stage.enqueue(&["work", "x"]);
    let child = stage.start(&["run", "routes.toml"]);
    until("the job has started", || stage.path("ran").exists());
    child
}

#[test]
fn hup_int_and_term_drain_and_the_job_is_done_once() {
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        let stage = Stage::new();
        let child = at_work(&stage);
        send(&child, signal);
        let ended = finish(child, b"");
        assert_eq!(ended.code, Some(0), "{signal:?}: {}", ended.stderr);
        let ran = std::fs::read_to_string(stage.path("ran")).unwrap();
        assert_eq!(ran, "start\nend\n", "{signal:?}");
        assert_eq!(stage.queue("work")["leased"], 0, "{signal:?}");
    }
}

#[test]
fn quit_ends_now_and_leaves_the_job_to_its_lease() {
    let stage = Stage::new();
    let child = at_work(&stage);
    send(&child, Signal::QUIT);
    let ended = finish(child, b"");
    assert_eq!(ended.code, Some(131), "{}", ended.stderr);
    assert_eq!(stage.queue("work")["leased"], 1);
}

#[test]
fn the_signals_of_users_do_nothing() {
    let stage = Stage::new();
    let child = at_work(&stage);
    send(&child, Signal::USR1);
    send(&child, Signal::USR2);
    until("the job is done", || stage.queue("work")["leased"] == 0);
    send(&child, Signal::TERM);
    assert_eq!(finish(child, b"").code, Some(0));
}

#[test]
fn under_nohup_a_hangup_is_nothing() {
    let stage = Stage::new();
    stage.write("routes.toml", ROUTES);
    let program = env!("CARGO_BIN_EXE_longshore");
    let child = stage
        .command_of("sh")
        .args([
            "-c",
            &format!("trap '' HUP; exec {program} run routes.toml"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    stage.enqueue(&["work", "x"]);
    until("the job has started", || stage.path("ran").exists());
    send(&child, Signal::HUP);
    until("the job is done", || stage.queue("work")["leased"] == 0);
    stage.enqueue(&["work", "y"]);
    until("the next one is done", || {
        stage.queue("work")["waiting"] == 0 && stage.queue("work")["leased"] == 0
    });
    send(&child, Signal::TERM);
    assert_eq!(finish(child, b"").code, Some(0));
}

/// Starts an enqueue of lines with these read and the stream left open.
fn feeding(stage: &Stage, args: &[&str], lines: &str) -> (Child, std::process::ChildStdin) {
    let mut child = stage.start(args);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    until("the lines are stored", || {
        let ended = stage.run(&["queues", "q", "--json"]);
        ended.code == Some(0) && ended.json()[0]["waiting"] == lines.lines().count()
    });
    (child, stdin)
}

#[test]
fn a_slow_stream_is_stored_as_it_comes_and_a_signal_says_how_much() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let stage = Stage::new();
        let args = ["enqueue", "q", "--lines", "--json"];
        let (child, stdin) = feeding(&stage, &args, "one\ntwo\nthree\n");
        send(&child, signal);
        let ended = Ended::of(child.wait_with_output().unwrap());
        drop(stdin);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert_eq!(ended.json()["stored"], 3);
    }
}

#[test]
fn ids_are_printed_line_by_line() {
    let stage = Stage::new();
    let (child, stdin) = feeding(&stage, &["enqueue", "q", "--lines", "--ids"], "one\ntwo\n");
    drop(stdin);
    let ended = Ended::of(child.wait_with_output().unwrap());
    let ids: Vec<&str> = ended.text().lines().collect();
    assert_eq!(ids.len(), 2);
    for (id, body) in ids.iter().zip(["one", "two"]) {
        assert_eq!(stage.json(&["show", "q", id, "--json"])["body"], body);
    }
    stage
        .run(&["enqueue", "q", "x", "--ids"])
        .refused(2, "--ids goes with --lines");
}
