//! Bodies in and out, streams with broken lines, a full queue.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::stage::Stage;

#[test]
fn any_bytes_come_back_as_they_went() {
    let stage = Stage::new();
    let every: Vec<u8> = (0..=255).collect();
    let cases: [&[u8]; 5] = [b"", b"\0", b"a\0b\n", &[0xff, 0xfe, 0], &every];
    for body in cases {
        for route in ["stdin", "file", "argument"] {
            let ended = match route {
                "stdin" => stage.feed(&["enqueue", "q", "-"], body),
                "file" => {
                    stage.write("body", body);
                    stage.run(&["enqueue", "q", "@body"])
                }
                // No argument can hold a NUL.
                _ if body.contains(&0) => continue,
                _ => stage.run(&[
                    OsString::from("enqueue"),
                    OsString::from("q"),
                    OsString::from_vec(body.to_vec()),
                ]),
            };
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            let received = stage.receive("q");
            let back = match (received["body"].as_str(), received["body_base64"].as_str()) {
                (Some(text), None) => text.as_bytes().to_vec(),
                (None, Some(encoded)) => STANDARD.decode(encoded).unwrap(),
                other => panic!("{other:?}"),
            };
            assert_eq!(back, body, "{route}");
            let receipt = received["receipt"].as_str().unwrap();
            stage.run(&["settle", "ack", receipt]);
        }
    }
}

#[test]
fn lines_keep_their_bytes() {
    let stage = Stage::new();
    let ended = stage.feed(&["enqueue", "q", "--lines"], b"a\n\xff\0\n\nlast");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.text(), "4 stored, 0 duplicate, 0 failed\n");
    let received = stage.json(&["receive", "q", "--json"]);
    assert_eq!(received[0]["body"], "a");
    assert_eq!(received[1]["body_base64"], STANDARD.encode(b"\xff\0"));
    assert_eq!(received[2]["body"], "");
    assert_eq!(received[3]["body"], "last");
}

#[test]
fn broken_lines_are_named_and_the_good_ones_stored() {
    let stage = Stage::new();
    let lines = b"{\"body\":1}\n{\"body\":\n\n{\"body\":\"x\",\"kind\":\"k k\"}\n{\"body\":{\"a\":2}}\n\xff\n{\"bdy\":1}\n";
    let ended = stage.feed(&["enqueue", "q", "--jsonl", "--json"], lines);
    assert_eq!(ended.code, Some(4));
    assert_eq!(
        ended.json(),
        json!({ "stored": 2, "duplicate": 0, "failed": 4 })
    );
    let complaints: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(complaints.len(), 4, "{}", ended.stderr);
    for (complaint, start) in complaints
        .iter()
        .zip(["line 2:", "line 4:", "line 6:", "line 7:"])
    {
        assert!(
            complaint.starts_with(&format!("longshore: {start}")),
            "{complaint}"
        );
    }
    let received = stage.json(&["receive", "q", "--json"]);
    assert_eq!(received[0]["body"], "1");
    assert_eq!(received[1]["body"], "{\"a\":2}");
}

#[test]
fn a_line_of_json_says_all_that_options_can() {
    let stage = Stage::new();
    let id = "018f3c7a-5b2e-7d11-9a3b-0123456789ab";
    let line = json!({
        "body": "b", "id": id, "kind": "k", "headers": { "h": "v" }, "group": "g",
        "priority": "high", "delay": "0s", "expires": "1h", "dedup_key": "d",
    });
    let twice = format!("{line}\n{line}\n");
    stage.write("lines", twice);
    let counts = stage.json(&["enqueue", "q", "@lines", "--jsonl", "--json"]);
    assert_eq!(counts, json!({ "stored": 1, "duplicate": 1, "failed": 0 }));
    let shown = stage.json(&["show", "q", id, "--json"]);
    assert_eq!(shown["kind"], "k");
    assert_eq!(shown["headers"], json!({ "h": "v" }));
    assert_eq!(shown["group"], "g");
    assert_eq!(shown["priority"], "high");
    assert!(shown["expires_at"].is_string());
}

#[test]
fn options_are_the_defaults_of_many_lines() {
    let stage = Stage::new();
    let lines = b"{\"body\":1}\n{\"body\":2,\"kind\":\"own\"}\n";
    let args = ["enqueue", "q", "--jsonl", "--kind", "k", "--header", "a=b"];
    assert_eq!(stage.feed(&args, lines).code, Some(0));
    let received = stage.json(&["receive", "q", "--json"]);
    assert_eq!(received[0]["kind"], "k");
    assert_eq!(received[1]["kind"], "own");
    assert_eq!(received[1]["headers"], json!({ "a": "b" }));
}

#[test]
fn the_body_limit_is_exact_and_reading_stops_behind_it() {
    let stage = Stage::new();
    let limit = 1024 * 1024;
    let fits = stage.feed(&["enqueue", "q", "-"], &vec![b'x'; limit]);
    assert_eq!(fits.code, Some(0), "{}", fits.stderr);
    stage
        .feed(&["enqueue", "q", "-"], &vec![b'x'; limit + 1])
        .refused(2, "at most 1048576");
    stage
        .feed(&["enqueue", "q", "-"], &vec![b'x'; 20 * limit])
        .refused(2, "at most 1048576");
    assert_eq!(stage.queue("q")["waiting"], 1);
}

#[test]
fn a_long_line_is_refused_and_the_next_is_stored() {
    let stage = Stage::new();
    let mut lines = vec![b'x'; 1024 * 1024 + 1];
    lines.extend_from_slice(b"\nok\n");
    let ended = stage.feed(&["enqueue", "q", "--lines", "--json"], &lines);
    ended.refused(4, "line 1: the body has more than 1048576 bytes");
    assert_eq!(
        ended.json(),
        json!({ "stored": 1, "duplicate": 0, "failed": 1 })
    );
}

#[test]
fn ten_thousand_lines_go_in() {
    let stage = Stage::new();
    let lines: Vec<String> = (0..10_000).map(|n| format!("line {n}")).collect();
    let lines = lines.join("\n");
    let ended = stage.feed(&["enqueue", "q", "--lines", "--json"], lines.as_bytes());
    assert_eq!(
        ended.json(),
        json!({ "stored": 10_000, "duplicate": 0, "failed": 0 })
    );
    assert_eq!(stage.queue("q")["waiting"], 10_000);
}

#[test]
fn headers_are_checked() {
    let stage = Stage::new();
    let long = format!("a={}", "x".repeat(5000));
    for header in ["a=x\ny", "a=x\r", "\u{1}=x", &long] {
        stage
            .run(&["enqueue", "q", "b", "--header", header])
            .refused(2, "header");
    }
    stage
        .run(&["enqueue", "q", "b", "--header", "a=1", "--header", "a=2"])
        .refused(2, "given twice");
    let mut many = vec!["enqueue".to_owned(), "q".into(), "b".into()];
    for number in 0..65 {
        many.extend(["--header".into(), format!("h{number}=x")]);
    }
    stage.run(&many).refused(2, "65 headers");
    assert!(!stage.path("longshore.db").exists(), "nothing was created");
}

#[test]
fn steering_names_stay_the_users() {
    let stage = Stage::new();
    let args = [
        "q",
        "b",
        "--header",
        "attempt=99",
        "--header",
        "queue=other",
    ];
    stage.enqueue(&args);
    let received = stage.receive("q");
    assert_eq!(received["attempt"], 1);
    assert_eq!(
        received["headers"],
        json!({ "attempt": "99", "queue": "other" })
    );
}

/// A user who copies the file after a command has everything.
#[test]
fn a_command_that_ends_leaves_all_in_one_file() {
    let stage = Stage::new();
    for args in [
        ["enqueue", "q", "x"].as_slice(),
        &["queues"],
        &["receive", "q", "--", "true"],
        &["enqueue", "q", "y", "--delay", "1h"],
        &["peek", "q"],
    ] {
        let ended = stage.run(args);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        for left in ["longshore.db-wal", "longshore.db-shm"] {
            assert!(!stage.path(left).exists(), "{args:?} left {left}");
        }
    }
}

#[test]
fn a_time_that_is_over_is_noted() {
    let stage = Stage::new();
    let past = stage.run(&["enqueue", "q", "x", "--at", "2020-01-01T00:00:00Z"]);
    assert_eq!(past.code, Some(0));
    assert!(
        past.stderr
            .contains("2020-01-01T00:00:00.000Z is over: the message is due now"),
        "{}",
        past.stderr
    );
    let future = stage.run(&["enqueue", "q", "x", "--at", "2999-01-01T00:00:00Z"]);
    assert_eq!((future.code, future.stderr.as_str()), (Some(0), ""));
}
