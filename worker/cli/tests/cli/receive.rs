//! Receiving by hand, and with a program.

use serde_json::json;

use super::stage::{Stage, finish};

#[test]
fn an_empty_queue_and_no_queue_end_with_3() {
    let stage = Stage::new();
    stage.run(&["receive", "q"]).refused(3, "does not exist");
    stage.run(&["pause", "--create", "other"]);
    stage
        .run(&["receive", "q"])
        .refused(3, "there is no queue \"q\"");
    let id = stage.enqueue(&["q", "x"]);
    stage.run(&["cancel", "q", &id]);
    let ended = stage.run(&["receive", "q", "--json"]);
    ended.refused(3, "nothing to receive");
    assert_eq!(ended.json(), json!([]));
}

#[test]
fn garbage_receipts_are_refused_and_nothing_is_settled() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    let receipt = stage.receipt("q");
    let cut = &receipt[..receipt.len() - 1];
    for garbage in ["", "garbage", "!!!", cut, "AAAA"] {
        stage
            .run(&["settle", "ack", &receipt, garbage])
            .refused(2, "not a receipt");
        stage.run(&["extend", garbage]).refused(2, "not a receipt");
    }
    assert_eq!(stage.queue("q")["leased"], 1);
    assert_eq!(stage.run(&["settle", "ack", &receipt]).code, Some(0));
}

#[test]
fn receipts_of_several_queues_are_settled_in_order() {
    let stage = Stage::new();
    stage.enqueue(&["a", "x"]);
    stage.enqueue(&["b", "x"]);
    let (a, b) = (stage.receipt("a"), stage.receipt("b"));
    stage.run(&["settle", "ack", &a]);
    let ended = stage.run(&["settle", "ack", &b, &a, "--json"]);
    let rows = ended.json();
    assert_eq!(rows[0], json!({ "receipt": b, "outcome": "applied" }));
    assert_eq!(rows[1]["receipt"], json!(a));
}

#[test]
fn options_that_mean_nothing_for_a_fate_are_refused() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    let receipt = stage.receipt("q");
    stage
        .run(&["settle", "ack", &receipt, "--delay", "5s"])
        .refused(2, "--delay goes with");
    stage
        .run(&["settle", "ack", &receipt, "--reason", "x"])
        .refused(2, "--reason goes with");
    stage
        .run(&["settle", "release", &receipt, "--reason", "x"])
        .refused(2, "--reason goes with");
    stage.run(&["settle", "nack", &receipt]).refused(2, "ack");
}

#[test]
fn a_release_gives_the_attempt_back_and_a_retry_does_not() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    let receipt = stage.receipt("q");
    stage.run(&["settle", "release", &receipt]);
    let second = stage.receive("q");
    assert_eq!(second["attempt"], 1);
    stage.run(&["settle", "retry", second["receipt"].as_str().unwrap()]);
    assert_eq!(stage.receive("q")["attempt"], 2);
}

#[test]
fn a_program_settles_by_its_exit_code() {
    let stage = Stage::new();
    for body in ["ok", "65", "66", "75", "1"] {
        stage.enqueue(&["q", body]);
    }
    let script = "read code; test \"$code\" = ok && exit 0; echo \"because $code\" >&2; exit $code";
    let ended = stage.run(&["receive", "q", "--json", "--", "sh", "-c", script]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert_eq!(
        ended.json(),
        json!({ "acked": 1, "retried": 2, "dead": 2, "released": 0, "lease_lost": 0 })
    );
    let dead = stage.json(&[
        "dead",
        "list",
        "q",
        "--where",
        "label=exec.exit.65",
        "--json",
    ]);
    assert_eq!(dead[0]["reason"], "permanent");
    assert_eq!(dead[0]["error"], "sh exited with 65: because 65");
    let numbers = stage.queue("q");
    assert_eq!(
        (&numbers["delayed"], &numbers["dead"]),
        (&json!(2), &json!(2))
    );
}

#[test]
fn a_program_that_takes_all_ends_with_0_and_none_with_3() {
    let stage = Stage::new();
    stage.enqueue(&["q", "a\n"]);
    stage.enqueue(&["q", "b\n"]);
    let ended = stage.run(&["receive", "q", "--", "cat"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.text(), "a\nb\n");
    assert_eq!(stage.run(&["receive", "q", "--", "cat"]).code, Some(3));
}

#[test]
fn a_missing_program_charges_nothing() {
    let stage = Stage::new();
    stage.enqueue(&["q", "a"]);
    let ended = stage.run(&["receive", "q", "--", "./no-such-program"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("no-such-program"), "{}", ended.stderr);
    assert_eq!(stage.receive("q")["attempt"], 1);
}

#[test]
fn a_program_that_does_not_read_its_stdin_is_no_trouble() {
    let stage = Stage::new();
    stage.feed(&["enqueue", "q", "-"], &vec![b'x'; 512 * 1024]);
    assert_eq!(stage.run(&["receive", "q", "--", "true"]).code, Some(0));
}

#[test]
fn leases_are_extended_while_the_program_works() {
    let stage = Stage::new();
    stage.enqueue(&["q", "a"]);
    stage.enqueue(&["q", "b"]);
    // Each takes longer than the lease; the second waits all that time for its turn.
    let args = [
        "receive", "q", "--lease", "1s", "--json", "--", "sleep", "1.4",
    ];
    let ended = stage.run(&args);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.json()["acked"], 2);
}

#[test]
fn ctrl_c_ends_the_running_program_and_gives_the_rest_back() {
    let stage = Stage::new();
    stage.enqueue(&["q", "a"]);
    stage.enqueue(&["q", "b"]);
    let script = "echo started; read line; exec sleep 0.3";
    let mut child = stage.start(&["receive", "q", "--", "sh", "-c", script]);
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    assert_eq!(line, "started\n");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = finish(child, b"");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let numbers = stage.queue("q");
    assert_eq!(
        (&numbers["waiting"], &numbers["leased"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        stage.receive("q")["attempt"],
        1,
        "the second was given back uncharged"
    );
}

#[test]
fn a_suspect_is_worked_alone() {
    let stage = Stage::new();
    stage.enqueue(&["q", "killer"]);
    // Two deliveries vanish: leased for a second, never settled.
    for attempt in 1..=2 {
        let args = ["receive", "q", "--lease", "1s", "--wait", "20s", "--json"];
        assert_eq!(stage.json(&args)[0]["attempt"], attempt);
    }
    // Once this one is due, the lease of the other has ended.
    let neighbour = stage.enqueue(&["q", "neighbour", "--delay", "2s"]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while stage.json(&["show", "q", &neighbour, "--json"])["state"] != "waiting" {
        assert!(std::time::Instant::now() < deadline, "it never became due");
    }
    let ended = stage.run(&["receive", "q", "--", "cat"]);
    assert_eq!((ended.code, ended.text()), (Some(4), "killer"));
    assert!(ended.stderr.contains("1 acked"), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 released"), "{}", ended.stderr);
    assert_eq!(
        stage.receive("q")["attempt"],
        1,
        "it was given back uncharged"
    );
}

#[test]
fn a_program_whose_lease_is_lost_is_killed_and_settles_nothing() {
    let stage = Stage::new();
    stage.enqueue(&["q", "a"]);
    let script = "echo started; sleep 60; echo late";
    let args = [
        "receive", "q", "--lease", "1s", "--json", "--", "sh", "-c", script,
    ];
    let mut child = stage.start(&args);
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    // Frozen, it cannot extend: another one gets the message. Frozen while it held the lock of the
    // file it keeps the other one out as well; then it gets a moment, and the next try.
    let signal = |signal| rustix::process::kill_process(pid, signal).unwrap();
    let other = (0..10)
        .find_map(|_| {
            signal(rustix::process::Signal::STOP);
            let ended = stage.run(&["receive", "q", "--wait", "30s", "--json"]);
            if ended.code != Some(0) {
                assert_eq!(ended.code, Some(69), "{}", ended.stderr);
                signal(rustix::process::Signal::CONT);
                return None;
            }
            Some(ended.json())
        })
        .unwrap();
    assert_eq!(other[0]["attempt"], 2);
    signal(rustix::process::Signal::CONT);
    let ended = finish(child, b"");
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("was lost; its program was killed"),
        "{}",
        ended.stderr
    );
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
    assert!(
        rest.contains("\"lease_lost\":1") && !rest.contains("late"),
        "{rest}"
    );
    let receipt = other[0]["receipt"].as_str().unwrap();
    assert_eq!(stage.run(&["settle", "ack", receipt]).code, Some(0));
}

#[test]
fn an_empty_receive_says_that_the_queue_is_paused() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    stage.run(&["pause", "--create", "q"]);
    for args in [vec!["receive", "q"], vec!["receive", "q", "--", "cat"]] {
        let ended = stage.run(&args);
        ended.refused(3, "nothing to receive from q: it is paused by ");
        assert!(
            ended.stderr.contains("`longshore resume q`"),
            "{}",
            ended.stderr
        );
    }
    stage.run(&["pause", "--create", "q", "--reason", "the disk is full"]);
    stage
        .run(&["receive", "q"])
        .refused(3, " (the disk is full), ");
    stage.run(&["resume", "q"]);
    assert_eq!(stage.run(&["receive", "q"]).code, Some(0));
}

#[test]
fn the_exit_of_the_program_decides_not_what_it_left_behind() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    let started = std::time::Instant::now();
    let ended = stage.run(&["receive", "q", "--", "sh", "-c", "sleep 60 & exit 0"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // Far below what was left behind, far above what a busy machine needs.
    assert!(started.elapsed() < std::time::Duration::from_secs(30));
}

#[test]
fn the_body_is_a_file_that_cannot_be_changed_and_its_size_is_told() {
    let stage = Stage::new();
    let body = vec![b'x'; 700_000];
    let fed = stage.feed(&["enqueue", "q", "-"], &body);
    assert_eq!(fed.code, Some(0), "{}", fed.stderr);
    let script = "[ -f /dev/stdin ] || exit 1; [ $LONGSHORE_BODY_BYTES = 700000 ] || exit 2; \
                  ( echo no >&0 ) 2>/dev/null && exit 3; [ $(wc -c) = 700000 ]";
    let ended = stage.run(&["receive", "q", "--", "sh", "-c", script]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}
