//! Bad input: one plain sentence, the documented exit code, nothing half written.

use super::stage::Stage;

#[test]
fn unknown_verbs_and_flags_name_the_nearest() {
    let stage = Stage::new();
    stage.run(&["enqeue", "q"]).refused(2, "enqueue");
    stage.run(&["dead", "lits", "q"]).refused(2, "list");
    stage
        .run(&["enqueue", "q", "x", "--dealy", "5s"])
        .refused(2, "--delay");
    stage.run(&["queues", "--jsn"]).refused(2, "--json");
    stage.run(&["frobnicate"]).refused(2, "frobnicate");
    let long = stage.run(&["x".repeat(100_000)]);
    long.refused(2, "xxx");
    assert!(long.stderr.len() < 2000, "input is cut");
    stage.run(&["enqueue"]).refused(2, "<QUEUE>");
    stage.run(&["queues", "a", "b"]).refused(2, "'b'");
}

#[test]
fn bad_queue_names() {
    let stage = Stage::new();
    let long = "q".repeat(256);
    let names = [
        "",
        " ",
        "a b",
        "/",
        "../x",
        "a,b",
        "*",
        ">",
        "{a}",
        "a\n",
        "a\tb",
        "é",
        "\u{202e}x",
        ".a",
        ":a",
        "a\u{1b}[31m",
        &long,
    ];
    for name in names {
        for args in [
            vec!["enqueue", name, "x"],
            vec!["receive", name],
            vec!["queues", name],
            vec!["purge", name, "--yes"],
            vec!["move", "a", name, "--yes"],
        ] {
            let ended = stage.run(&args);
            ended.refused(2, "queue name");
            assert!(!ended.stderr.contains('\u{202e}'), "{}", ended.stderr);
            assert!(ended.stderr.len() < 400, "input is cut: {}", ended.stderr);
        }
    }
    stage.run(&["enqueue", "-a", "x"]).refused(2, "-a");
    assert!(!stage.path("longshore.db").exists(), "nothing was created");
}

#[test]
fn bad_names_of_other_things() {
    let stage = Stage::new();
    let long = "k".repeat(129);
    for bad in ["", "a b", &long] {
        stage
            .run(&["enqueue", "q", "x", "--kind", bad])
            .refused(2, "kind");
    }
    for bad in ["", "a\nb", &long] {
        stage
            .run(&["enqueue", "q", "x", "--group", bad])
            .refused(2, "group");
        stage
            .run(&["enqueue", "q", "x", "--dedup-key", bad])
            .refused(2, "dedup key");
    }
    for bad in ["", "x", "018f3c7a"] {
        stage
            .run(&["enqueue", "q", "x", "--id", bad])
            .refused(2, "not a message id");
        stage
            .run(&["show", "q", bad])
            .refused(2, "not a message id");
        stage
            .run(&["cancel", "q", bad])
            .refused(2, "not a message id");
    }
    stage
        .run(&["enqueue", "q", "x", "--header", "a"])
        .refused(2, "NAME=VALUE");
    stage
        .run(&["enqueue", "q", "x", "--priority", "urgent"])
        .refused(2, "normal");
}

#[test]
fn bad_durations_and_times() {
    let stage = Stage::new();
    for (bad, part) in [
        ("5", "give it a unit"),
        ("-5s", "negative"),
        ("-1", "unit"),
        ("NaN", "unit"),
        ("10y", "not a duration"),
        ("3660d", "too long"),
        ("1e999s", "not a duration"),
        ("", "not a duration"),
        ("99999999999999999999s", "too long"),
    ] {
        stage
            .run(&["enqueue", "q", "x", "--delay", bad])
            .refused(2, part);
        stage
            .run(&["enqueue", "q", "x", "--expires", bad])
            .refused(2, part);
        stage.run(&["receive", "q", "--wait", bad]).refused(2, part);
    }
    stage
        .run(&["receive", "q", "--lease", "0s"])
        .refused(2, "a lease lasts");
    stage
        .run(&["receive", "q", "--lease", "1000h"])
        .refused(2, "a lease lasts");
    stage
        .run(&["enqueue", "q", "x", "--at", "tomorrow"])
        .refused(2, "not a time");
    stage
        .run(&["enqueue", "q", "x", "--at", "2026-12-24T18:00:00"])
        .refused(2, "no zone");
    let both = [
        "enqueue",
        "q",
        "x",
        "--at",
        "2026-12-24T18:00:00Z",
        "--delay",
        "5s",
    ];
    stage.run(&both).refused(2, "cannot be used with");
}

#[test]
fn bad_numbers() {
    let stage = Stage::new();
    for bad in ["-1", "abc", "0", "18446744073709551616", "1.5", ""] {
        stage
            .run(&["receive", "q", "--max", bad])
            .refused(2, "--max");
        stage
            .run(&["dead", "list", "q", "--limit", bad])
            .refused(2, "--limit");
        stage
            .run(&["peek", "q", "--limit", bad])
            .refused(2, "--limit");
    }
    stage.enqueue(&["q", "x"]);
    stage
        .run(&["receive", "q", "--max", "100000"])
        .refused(2, "over the limit");
    for bad in ["20", "0/s", "-1/s", "x/s"] {
        stage
            .run(&["dead", "redrive", "q", "--rate", bad, "--yes"])
            .refused(2, "rate");
    }
}

#[test]
fn bad_cursors() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    stage
        .run(&["peek", "q", "--after", "garbage"])
        .refused(2, "cursor");
    stage
        .run(&["dead", "list", "q", "--after", "garbage"])
        .refused(2, "cursor");
}

#[test]
fn stores_that_are_none() {
    let stage = Stage::new();
    stage
        .run(&["queues", "--store", "nonsense"])
        .refused(78, "no scheme");
    stage
        .run(&["queues", "--store", "sqllite://./x.db"])
        .refused(78, "sqlite://");
    stage
        .run(&["queues", "--store", "sqlite://./x.db?snyc=full"])
        .refused(78, "sync");
    stage
        .run(&["queues", "--store", "redis://u:hunter2@h:0"])
        .refused(78, "port");
    stage
        .run(&["queues", "--store", ""])
        .refused(78, "no scheme");
    std::fs::create_dir(stage.path("folder")).unwrap();
    let ended = stage.run(&["enqueue", "q", "x", "--store", "sqlite://./folder"]);
    ended.refused(78, "directory");
    stage.write(
        "foreign.db",
        "this is a text file and no database at all, it is longer than a page",
    );
    let ended = stage.run(&["queues", "--store", "sqlite://./foreign.db"]);
    assert!(
        matches!(ended.code, Some(70 | 78)),
        "{:?} {}",
        ended.code,
        ended.stderr
    );
    let content = std::fs::read_to_string(stage.path("foreign.db")).unwrap();
    assert!(
        content.starts_with("this is a text file"),
        "it was left alone"
    );
    let ended = stage.run(&[
        "enqueue",
        "q",
        "x",
        "--store",
        "sqlite://./no/such/folder/q.db",
    ]);
    assert_ne!(ended.code, Some(0));
    assert!(!stage.path("no").exists());
}

#[test]
fn no_password_is_ever_shown() {
    let stage = Stage::new();
    for (url, code) in [
        ("redis://u:hunter2@127.0.0.1:1/0", 69),
        ("cassandra://u:hunter2@127.0.0.1:1/k", 69),
        ("redis://u:hunter2@h:0", 78),
        ("redis:u:hunter2@h", 78),
        ("sqlite://./x.db?password=hunter2", 78),
    ] {
        for verbose in ["-v", "-vv", "-vvv"] {
            let ended = stage.run(&["queues", "--store", url, verbose]);
            assert_eq!(ended.code, Some(code), "{}", ended.stderr);
            assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        }
        let ended = stage
            .command()
            .args(["queues"])
            .env("LONGSHORE_STORE", url)
            .output()
            .unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert!(!stderr.contains("hunter2"), "{stderr}");
        // Where the URL itself is wrong, where it came from is said.
        assert!(code == 69 || stderr.contains("LONGSHORE_STORE"), "{stderr}");
    }
}

#[test]
fn verbs_that_read_create_no_store() {
    let stage = Stage::new();
    let id = "018f3c7a-5b2e-7d11-9a3b-0123456789ab";
    for args in [
        vec!["queues"],
        vec!["receive", "q"],
        vec!["peek", "q"],
        vec!["show", "q", id],
        vec!["cancel", "q", id],
        vec!["dead", "list", "q"],
        vec!["dead", "redrive", "q", "--yes"],
        vec!["purge", "q", "--yes"],
        vec!["move", "q", "r", "--yes"],
        vec!["resume", "q"],
        vec!["workers"],
        vec!["doctor"],
        vec!["fsck"],
    ] {
        stage.run(&args).refused(3, "longshore enqueue");
        let left: Vec<_> = std::fs::read_dir(stage.path(".")).unwrap().collect();
        assert!(left.is_empty(), "{args:?} left {left:?}");
    }
}

#[test]
fn files_that_cannot_be_read() {
    let stage = Stage::new();
    stage
        .run(&["enqueue", "q", "@missing"])
        .refused(2, "missing");
    std::fs::create_dir(stage.path("folder")).unwrap();
    stage
        .run(&["enqueue", "q", "@folder"])
        .refused(2, "directory");
    stage.run(&["enqueue", "q", "@"]).refused(2, "@FILE");
    stage
        .run(&["enqueue", "q", "text", "--lines"])
        .refused(2, "read a stream");
    stage
        .run(&["enqueue", "q", "--lines", "--jsonl"])
        .refused(2, "cannot be used with");
}

#[test]
fn destructive_verbs_want_a_yes() {
    let stage = Stage::new();
    let id = stage.dead_letter("q", "x", "e");
    stage.enqueue(&["q", "y"]);
    for args in [
        vec!["purge", "q"],
        vec!["move", "q", "r"],
        vec!["dead", "redrive", "q"],
        vec!["dead", "discard", "q"],
        vec!["dead", "discard", "q", "--where", "error~e"],
    ] {
        stage.run(&args).refused(2, "--yes");
    }
    let numbers = stage.queue("q");
    assert_eq!(
        (numbers["waiting"].as_u64(), numbers["dead"].as_u64()),
        (Some(1), Some(1))
    );
    let single = stage.run(&["dead", "redrive", "q", &id]);
    assert_eq!(single.code, Some(0), "{}", single.stderr);
}

#[test]
fn hostile_text_never_reaches_a_terminal() {
    let stage = Stage::new();
    let hostile = "a\u{1b}[2J\u{202e}b\r\u{9b}31m";
    stage.enqueue(&["q", hostile, "--group", "g\u{202e}"]);
    let id = stage.dead_letter("dead", hostile, hostile);
    let receipts = stage.run(&["receive", "q"]);
    for ended in [
        receipts,
        stage.run(&["peek", "q"]),
        stage.run(&["dead", "list", "dead"]),
        stage.run(&["dead", "list", "dead", "--group-by", "error"]),
        stage.run(&["dead", "show", "dead", &id]),
        stage.run(&["dead", "show", "dead", &id, "--json"]),
        stage.run(&["dead", "export", "dead"]),
    ] {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let text = ended.text();
        assert!(
            !text.contains(['\u{1b}', '\u{202e}', '\r', '\u{9b}']),
            "{text:?}"
        );
    }
    let body = stage.json(&["dead", "show", "dead", &id, "--json"]);
    assert_eq!(body["body"], hostile);
}

#[test]
fn times_that_contradict_each_other_are_refused() {
    let stage = Stage::new();
    for (options, part) in [
        (vec!["--expires", "0s"], "expire at once"),
        (
            vec!["--expires", "1s", "--delay", "5s"],
            "not due before 5s",
        ),
        (
            vec!["--expires", "5s", "--delay", "5s"],
            "not due before 5s",
        ),
        (vec!["--dedup-window", "1h"], "--dedup-key"),
    ] {
        let mut args = vec!["enqueue", "q", "x"];
        args.extend(&options);
        stage.run(&args).refused(2, part);
    }
    let input = b"x\n";
    stage
        .feed(&["enqueue", "q", "--lines", "--dedup-window", "1h"], input)
        .refused(2, "--lines");
    assert!(!stage.path("longshore.db").exists(), "nothing was created");
    let line = br#"{"body":1,"expires":"1s","delay":"5s"}"#;
    let ended = stage.feed(&["enqueue", "q", "--jsonl"], line);
    ended.refused(4, "line 1: it would expire after 1s");
    stage.enqueue(&["q", "x", "--expires", "6s", "--delay", "5s"]);
}

#[test]
fn refused_arguments_are_named_without_their_brackets() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    stage
        .run(&["settle", "ack", "xx"])
        .refused(2, "longshore: RECEIPT: \"xx\" is not a receipt");
    stage
        .run(&["cancel", "q", "zzz"])
        .refused(2, "longshore: ID: \"zzz\" is not a message id");
    stage
        .run(&["enqueue", "q", "x", "--delay", "99999999999999999999d"])
        .refused(2, "is too long; at most 366d");
}

#[test]
fn a_missing_queue_has_near_names_only_if_they_are_near() {
    let stage = Stage::new();
    for name in ["a", "q", "images"] {
        stage.enqueue(&[name, "x"]);
    }
    for name in ["b", "qq"] {
        let ended = stage.run(&["queues", name]);
        ended.refused(3, "a queue exists from its first message");
        assert!(!ended.stderr.contains("did you mean"), "{}", ended.stderr);
    }
    let ended = stage.run(&["queues", "imgaes"]);
    ended.refused(3, "did you mean \"images\"? A queue exists from");
}

#[test]
fn trouble_with_the_store_is_told_in_words() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    stage.run(&["dead", "list", "q", "--after", "zz"]).refused(
        2,
        "longshore: listing the dead letters failed: invalid cursor",
    );
    stage.run(&["queues", "--store", "postgres://x"]).refused(
        78,
        "no store has the scheme postgres://; known are memory, ",
    );
    stage
        .run(&["dead", "list", "q", "--where", "zzzzzz=1"])
        .refused(2, "is not a field; known are id, ");
    let settings = stage.run(&["queues", "q"]);
    let text = settings.text();
    assert!(text.contains("body_max: 1048576 bytes (default)"), "{text}");
}

#[test]
fn what_people_try_is_answered_with_what_they_meant() {
    let stage = Stage::new();
    stage
        .run(&["ack", "RECEIPT"])
        .refused(2, "longshore settle ack RECEIPT");
    let ended = stage.run(&["workers", "--watch"]);
    ended.refused(2, "--watch");
    assert!(!ended.stderr.contains("as a value"), "{}", ended.stderr);
    stage
        .run(&["--store", "sqlite:queue.db", "queues"])
        .refused(78, "sqlite://./queue.db");
}
