//! Cancel, purge, move, pause, resume.

use serde_json::json;

use super::stage::{Stage, finish};

#[test]
fn cancel_leaves_leased_messages_alone() {
    let stage = Stage::new();
    let leased = stage.enqueue(&["q", "a"]);
    stage.receipt("q");
    let delayed = stage.enqueue(&["q", "b", "--delay", "1h"]);
    let ended = stage.run(&["cancel", "q", &leased, &delayed, "--json"]);
    ended.refused(4, "1 of 2 cancelled; 1 in the hands of a worker");
    assert_eq!(
        ended.json(),
        json!([{ "id": leased, "outcome": "leased" }, { "id": delayed, "outcome": "applied" }])
    );
    stage
        .run(&["cancel", "q", &delayed])
        .refused(3, "nothing was cancelled");
}

#[test]
fn purge_keeps_leased_and_dead() {
    let stage = Stage::new();
    stage.dead_letter("q", "dead", "e");
    stage.enqueue(&["q", "leased"]);
    stage.receipt("q");
    for _ in 0..3 {
        stage.enqueue(&["q", "waiting"]);
    }
    stage.enqueue(&["q", "delayed", "--delay", "1h"]);
    let dry = stage.json(&["purge", "q", "--dry-run", "--json"]);
    assert_eq!(dry["removed"], 4);
    let done = stage.json(&["purge", "q", "--yes", "--json"]);
    assert_eq!(done["removed"], dry["removed"]);
    let numbers = stage.queue("q");
    assert_eq!(
        (
            &numbers["waiting"],
            &numbers["delayed"],
            &numbers["leased"],
            &numbers["dead"]
        ),
        (&json!(0), &json!(0), &json!(1), &json!(1))
    );
}

#[test]
fn pause_is_seen_by_all_and_stops_receiving_only() {
    let stage = Stage::new();
    stage.enqueue(&["q", "a"]);
    stage.run(&["pause", "--create", "q", "--reason", "disk full"]);
    assert_eq!(stage.queue("q")["paused"], true);
    let shown = stage.run(&["queues"]);
    assert!(shown.text().contains("disk full"), "{}", shown.text());
    assert_eq!(stage.run(&["receive", "q"]).code, Some(3));
    assert_eq!(stage.run(&["enqueue", "q", "b"]).code, Some(0));
    assert_eq!(stage.run(&["resume", "q"]).code, Some(0));
    assert_eq!(stage.receive("q")["body"], "a");
    assert_eq!(stage.json(&["resume", "q", "--json"])["was_paused"], false);
    stage
        .run(&["resume", "none"])
        .refused(3, "there is no queue");
}

#[test]
fn move_keeps_ids_groups_attempts_history_and_due_times() {
    let stage = Stage::new();
    let retried = stage.enqueue(&["from", "a", "--kind", "k", "--header", "h=v"]);
    let receipt = stage.receipt("from");
    stage.run(&[
        "settle", "retry", &receipt, "--delay", "1h", "--reason", "once",
    ]);
    let dead = stage.dead_letter("from", "d", "e");
    let grouped = stage.enqueue(&["from", "b", "--group", "g"]);
    stage.enqueue(&["from", "c", "--group", "g"]);
    let before = |id: &str, queue: &str| {
        let mut shown = stage.json(&["show", queue, id, "--json"]);
        shown["queue"] = json!("-");
        shown
    };
    let old = [
        before(&retried, "from"),
        before(&dead, "from"),
        before(&grouped, "from"),
    ];
    let moved = stage.json(&["move", "from", "to", "--yes", "--json"]);
    assert_eq!((&moved["moved"], &moved["dead"]), (&json!(4), &json!(1)));
    let new = [
        before(&retried, "to"),
        before(&dead, "to"),
        before(&grouped, "to"),
    ];
    assert_eq!(old, new);
    let from = stage.queue("from");
    assert_eq!((&from["waiting"], &from["dead"]), (&json!(0), &json!(0)));
    assert_eq!(
        stage.receive("to")["body"],
        "b",
        "the head of the group goes first"
    );
    assert_eq!(
        stage.run(&["receive", "to"]).code,
        Some(3),
        "the second waits for the first"
    );
    stage.enqueue(&["from", "new"]);
    assert_eq!(stage.receive("from")["body"], "new", "the mark is lifted");
}

#[test]
fn move_goes_to_another_store_and_back() {
    let stage = Stage::new();
    let id = stage.enqueue(&["q", "a"]);
    let other = "sqlite://./other.db";
    let args = ["move", "q", "q", "--to-store", other, "--yes", "--json"];
    assert_eq!(stage.json(&args)["moved"], 1);
    assert_eq!(stage.queue("q")["waiting"], 0);
    let shown = stage.json(&["show", "q", &id, "--store", other, "--json"]);
    assert_eq!(shown["body"], "a");
    stage
        .run(&["move", "q", "q", "--yes"])
        .refused(2, "the same queue");
    let same = [
        "move",
        "q",
        "q",
        "--to-store",
        "sqlite://./longshore.db",
        "--yes",
    ];
    stage.run(&same).refused(2, "the same queue");
    stage
        .run(&["move", "none", "q", "--yes"])
        .refused(3, "there is no queue");
}

#[test]
fn a_leased_message_follows_when_it_comes_back() {
    let stage = Stage::new();
    stage.enqueue(&["from", "a"]);
    let receipt = stage.receipt("from");
    stage.enqueue(&["from", "b"]);
    let moving = stage.start(&["move", "from", "to", "--yes", "--json"]);
    // The move waits for the leased one: release it once the other has gone.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while stage.run(&["queues", "to"]).code != Some(0) || stage.queue("to")["waiting"] != 1 {
        assert!(std::time::Instant::now() < deadline, "nothing has moved");
    }
    assert_eq!(
        stage.run(&["receive", "from"]).code,
        Some(3),
        "nothing is handed out"
    );
    assert_eq!(stage.run(&["settle", "release", &receipt]).code, Some(0));
    let ended = finish(moving, b"");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let waits = "in the hands of workers: 1 message of \"from\"";
    assert!(ended.stderr.contains(waits), "{}", ended.stderr);
    assert_eq!(ended.json()["moved"], 2);
    assert_eq!(stage.queue("to")["waiting"], 2);
}

/// Hand-outs are stopped meanwhile, so no receive would bring it back.
#[test]
fn a_message_whose_lease_ends_follows_without_a_receive() {
    let stage = Stage::new();
    stage.enqueue(&["from", "a"]);
    stage.json(&["receive", "from", "--lease", "1s", "--json"]);
    let moved = stage.json(&["move", "from", "to", "--yes", "--json"]);
    assert_eq!(moved["moved"], 1);
    assert_eq!(stage.receive("to")["attempt"], 2);
}

#[test]
fn a_stopped_move_lifts_its_mark() {
    let stage = Stage::new();
    stage.enqueue(&["from", "a"]);
    let receipt = stage.receipt("from");
    stage.enqueue(&["from", "b"]);
    let moving = stage.start(&["move", "from", "to", "--yes"]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while stage.run(&["queues", "to"]).code != Some(0) || stage.queue("to")["waiting"] != 1 {
        assert!(std::time::Instant::now() < deadline, "nothing has moved");
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(moving.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = finish(moving, b"");
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    let goes_on = ended.stderr.contains("the same command goes on");
    assert!(goes_on, "{}", ended.stderr);
    stage.run(&["settle", "release", &receipt]);
    assert_eq!(stage.receive("from")["body"], "a");
}

#[test]
fn a_move_that_was_killed_keeps_its_mark_and_goes_on() {
    let stage = Stage::new();
    stage.enqueue(&["from", "a"]);
    let receipt = stage.receipt("from");
    for body in ["b", "c", "d"] {
        stage.enqueue(&["from", body]);
    }
    let mut moving = stage.start(&["move", "from", "to", "--yes"]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while stage.run(&["queues", "to"]).code != Some(0) || stage.queue("to")["waiting"] != 3 {
        assert!(std::time::Instant::now() < deadline, "nothing has moved");
    }
    moving.kill().unwrap();
    moving.wait().unwrap();
    stage.enqueue(&["from", "e"]);
    assert_eq!(
        stage.run(&["receive", "from"]).code,
        Some(3),
        "the mark is still there"
    );
    let shown = stage.run(&["queues", "from"]);
    assert!(shown.text().contains("moving to to"), "{}", shown.text());
    let resumed = stage.run(&["resume", "from"]);
    assert!(
        resumed.stderr.contains("add --moving"),
        "{}",
        resumed.stderr
    );
    stage.run(&["settle", "release", &receipt]);
    let again = stage.json(&["move", "from", "to", "--yes", "--json"]);
    assert_eq!(again["moved"], 2);
    assert_eq!(stage.queue("to")["waiting"], 5);
    stage.enqueue(&["from", "f"]);
    assert_eq!(stage.receive("from")["body"], "f");
}

#[test]
fn a_mark_that_was_left_behind_can_be_lifted() {
    let stage = Stage::new();
    stage.enqueue(&["from", "a"]);
    stage.receipt("from");
    let mut moving = stage.start(&["move", "from", "to", "--yes"]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !stage.run(&["queues", "from"]).text().contains("moving to") {
        assert!(
            std::time::Instant::now() < deadline,
            "the mark was never set"
        );
    }
    moving.kill().unwrap();
    moving.wait().unwrap();
    stage.enqueue(&["from", "b"]);
    assert_eq!(stage.run(&["receive", "from"]).code, Some(3));
    assert_eq!(stage.run(&["resume", "from", "--moving"]).code, Some(0));
    assert_eq!(stage.receive("from")["body"], "b");
}

#[test]
fn what_matches_is_shown_and_cancelled_and_leased_messages_stay() {
    let stage = Stage::new();
    for body in ["a", "b", "c"] {
        stage.enqueue(&["q", body, "--kind", "resize"]);
    }
    stage.enqueue(&["q", "d", "--kind", "other"]);
    let seen = stage.json(&["peek", "q", "--where", "kind=other", "--json"]);
    assert_eq!(seen.as_array().unwrap().len(), 1);
    stage.receipt("q");
    let args = ["cancel", "q", "--where", "kind=resize"];
    let dry = stage.run(&[&args[..], &["--dry-run", "--json"]].concat());
    dry.refused(4, "1 message in the hands of workers");
    assert_eq!(dry.json()["cancelled"], 2);
    assert_eq!(stage.queue("q")["waiting"], 3);
    stage.run(&args).refused(2, "--yes");
    let ended = stage.run(&[&args[..], &["--yes", "--json"]].concat());
    ended.refused(4, "1 message in the hands of workers");
    assert_eq!(ended.json()["cancelled"], 2);
    assert_eq!(stage.queue("q")["waiting"], 1);
}

#[test]
fn a_message_gets_another_due_time() {
    let stage = Stage::new();
    let id = stage.enqueue(&["q", "x", "--delay", "30d"]);
    assert_eq!(stage.run(&["receive", "q"]).code, Some(3));
    stage
        .run(&["reschedule", "q", &id])
        .refused(2, "it needs a time");
    let done = stage.run(&["reschedule", "q", &id, "--delay", "0s"]);
    assert_eq!(done.text(), format!("{id} rescheduled\n"));
    assert_eq!(stage.receive("q")["body"], "x");
}

#[test]
fn a_queue_that_nobody_uses_is_paused_only_if_told_so() {
    let stage = Stage::new();
    stage.enqueue(&["images", "x"]);
    let ended = stage.run(&["pause", "imags"]);
    ended.refused(3, "did you mean \"images\"?");
    assert!(ended.stderr.contains("--create"), "{}", ended.stderr);
    assert_eq!(stage.run(&["pause", "imags", "--create"]).code, Some(0));
}

#[test]
fn the_file_that_init_writes_runs_and_is_not_overwritten() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["init"]).text(), "routes.toml\n");
    stage.run(&["init"]).refused(2, "was left alone");
    stage
        .run(&["init", "no/such/routes.toml"])
        .refused(2, "no folder");
    let checked = stage.run(&["routes", "check", "routes.toml"]);
    assert!(
        checked.text().ends_with("0 problems, 0 warnings\n"),
        "{}",
        checked.text()
    );
    stage.enqueue(&["hello", "world"]);
    let run = stage.run(&["run", "routes.toml", "--until-idle"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains(": world"), "{}", run.stderr);
}

#[test]
fn a_copy_is_made_while_others_work_and_can_be_opened() {
    let stage = Stage::new();
    let lines: Vec<String> = (0..3000).map(|n| format!("line {n}\n")).collect();
    stage.feed(&["enqueue", "q", "--lines"], lines.concat().as_bytes());
    stage.dead_letter("q", "dead", "why");
    let writing = stage.start(&["enqueue", "other", "--lines"]);
    let copied = stage.json(&["backup", "copy.db", "--json"]);
    assert!(copied["bytes"].as_u64().unwrap() > 100_000);
    finish(writing, b"more\n");
    let mode = std::fs::metadata(stage.path("copy.db"))
        .unwrap()
        .permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    stage
        .run(&["backup", "copy.db"])
        .refused(2, "a file of this name");
    stage
        .run(&["backup", "no/such/copy.db"])
        .refused(2, "no such folder");
    let of_copy = ["--store", "sqlite://./copy.db", "queues", "q", "--json"];
    let numbers = stage.json(&of_copy)[0].take();
    assert_eq!(
        (&numbers["waiting"], &numbers["dead"]),
        (&json!(3000), &json!(1))
    );
    let checked = stage.run(&["--store", "sqlite://./copy.db", "fsck"]);
    assert_eq!(checked.code, Some(0), "{}", checked.text());
    let header = std::fs::read(stage.path("copy.db")).unwrap();
    assert_eq!(header[18..20], [2, 2], "in WAL mode");
}
