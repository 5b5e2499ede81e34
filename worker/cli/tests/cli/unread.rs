//! A worker whose stderr nobody reads, or cannot be written: only log lines are lost.

use std::fs::File;
use std::process::Stdio;

use super::stage::Stage;

const MESSAGES: usize = 300;

/// Every message is logged, a tenth of them as an error, and works a file.
const ROUTES: &str = r#"
version = 1
[[route]]
name = "work"
from = { queue = "work" }
[[route.step]]
file = { path = "ran", mode = "append" }
[[route.step]]
when = "{{ body is endingwith('7') }}"
exec = { command = ["sh", "-c", "exit 65"] }
"#;

fn works_all_with(stderr: Stdio) {
    let stage = Stage::new();
    stage.write("routes.toml", ROUTES);
    let lines: Vec<String> = (0..MESSAGES).map(|n| format!("line {n}\n")).collect();
    let fed = stage.feed(&["enqueue", "work", "--lines"], lines.concat().as_bytes());
    assert_eq!(fed.code, Some(0), "{}", fed.stderr);
    let run = stage
        .command()
        .args(["run", "routes.toml", "--until-idle", "-vvv"])
        .stderr(stderr)
        .stdout(Stdio::null())
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(run.code(), Some(0));
    let ran = std::fs::read_to_string(stage.path("ran")).unwrap();
    let mut ran: Vec<&str> = ran.lines().collect();
    assert_eq!(ran.len(), MESSAGES, "each once");
    ran.sort_unstable();
    ran.dedup();
    assert_eq!(ran.len(), MESSAGES);
    let numbers = stage.queue("work");
    assert_eq!(numbers["dead"], MESSAGES / 10);
    for state in ["waiting", "delayed", "leased"] {
        assert_eq!(numbers[state], 0, "{numbers}");
    }
}

#[test]
fn a_full_device_costs_lines_only() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    works_all_with(full.into());
}

#[test]
fn a_reader_that_went_away_costs_lines_only() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    works_all_with(writer.into());
}

/// The pipe fills up after 64 KiB, and nobody ever reads it.
#[test]
fn a_reader_that_is_stuck_costs_lines_only() {
    let (_reader, writer) = std::io::pipe().unwrap();
    works_all_with(writer.into());
}

/// A process that shares the pipe made it non-blocking.
#[test]
fn a_full_pipe_that_does_not_block_costs_lines_only() {
    let (_reader, writer) = std::io::pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    works_all_with(writer.into());
}

#[test]
fn a_closed_stderr_costs_lines_only() {
    let stage = Stage::new();
    stage.write("routes.toml", ROUTES);
    stage.enqueue(&["work", "line 1"]);
    let program = env!("CARGO_BIN_EXE_longshore");
    let ended = stage.shell(&format!(
        "exec {program} run routes.toml --until-idle --json 2>&-"
    ));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.json()["acked"], 1);
}
