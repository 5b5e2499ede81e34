//! Closed and full outputs, and input that ends.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::stage::{Ended, Stage, finish};

/// A stage with enough dead letters to fill a pipe.
fn full() -> Stage {
    let stage = Stage::new();
    let body = "x".repeat(200_000);
    for _ in 0..5 {
        let ended = stage.feed(&["enqueue", "q", "-"], body.as_bytes());
        assert_eq!(ended.code, Some(0));
        let receipt = stage.receipt("q");
        stage.run(&["settle", "dead-letter", &receipt]);
    }
    stage
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let stage = full();
    for args in [
        vec!["dead", "export", "q"],
        vec!["dead", "list", "q", "--json"],
        vec!["--help"],
        vec!["completions", "bash"],
    ] {
        // Away before the command starts: one that prints little would else be done by then.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = finish(stage.start_into(&args, writer), b"");
        assert!(ended.stderr.is_empty(), "{args:?}: {}", ended.stderr);
        assert!(
            matches!(ended.code, Some(141)),
            "{args:?}: {:?}",
            ended.code
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let stage = full();
    let mut child = stage.start(&["dead", "export", "q"]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.len() > 200_000);
    drop(stdout);
    let ended = finish(child, b"");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(141), ""));
}

#[test]
fn a_stdout_that_is_closed_from_the_start_is_no_panic() {
    let stage = Stage::new();
    let script = "exec \"$0\" enqueue q x >&-";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_longshore")])
        .current_dir(stage.path("."))
        .env_remove("LONGSHORE_STORE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let ended = Ended::of(output);
    assert!(
        matches!(ended.code, Some(0 | 1 | 141)),
        "{:?} {}",
        ended.code,
        ended.stderr
    );
    assert_eq!(stage.queue("q")["waiting"], 1);
}

#[test]
fn a_full_device_is_told() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    let device = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = stage
        .command()
        .args(["queues"])
        .stdout(device)
        .output()
        .unwrap();
    Ended::of(output).refused(1, "stdout cannot be written");
}

#[test]
fn a_closed_stdin_is_an_empty_body() {
    let stage = Stage::new();
    let output = stage
        .command()
        .args(["enqueue", "q", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(Ended::of(output).code, Some(0));
    assert_eq!(stage.receive("q")["body"], "");
}

fn full_device() -> std::fs::File {
    std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
}

#[test]
fn an_id_that_cannot_be_printed_is_told_with_the_trouble() {
    let stage = Stage::new();
    for args in [
        vec!["enqueue", "q", "x"],
        vec!["enqueue", "q", "x", "--json"],
    ] {
        let ended = finish(stage.start_into(&args, full_device()), b"");
        ended.refused(1, "stdout cannot be written");
        let (_, told) = ended.stderr.split_once("; message ").unwrap();
        let (id, rest) = told.split_once(' ').unwrap();
        assert_eq!(rest, "was stored in queue \"q\"\n");
        assert_eq!(stage.json(&["show", "q", id, "--json"])["state"], "waiting");
    }
    let args = ["enqueue", "q", "--lines"];
    let ended = finish(stage.start_into(&args, full_device()), b"a\nb\n");
    ended.refused(1, "; 2 stored, 0 duplicate, 0 failed");
}

#[test]
fn a_batch_whose_receipts_nobody_gets_is_given_back() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    stage.enqueue(&["q", "y"]);
    for args in [vec!["receive", "q"], vec!["receive", "q", "--json"]] {
        let ended = finish(stage.start_into(&args, full_device()), b"");
        ended.refused(1, "2 messages of queue \"q\" given back uncharged");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = finish(stage.start_into(&args, writer), b"");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(141), ""));
        assert_eq!(stage.queue("q")["waiting"], 2);
    }
    assert_eq!(stage.receive("q")["attempt"], 1, "nothing was charged");
}
