//! Dead letters with another body, and dead letters of another store.

use serde_json::{Value, json};

use super::stage::Stage;

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_field_is_set_and_the_rest_stays() {
    let stage = Stage::new();
    let id = stage.dead_letter("q", r#"{"user":{"id":7},"n":1.50}"#, "no user 7");
    let args = ["dead", "redrive", "q", &id, "--set", "user.id=8", "--json"];
    let dry = stage.json(&[&args[..], &["--dry-run"]].concat());
    assert_eq!(dry["outcome"], "would_redrive");
    assert_eq!(stage.queue("q")["dead"], 1, "nothing was changed");
    let answer = stage.json(&args);
    assert_eq!(answer["outcome"], "redriven");
    assert_eq!(answer["id"], dry["id"], "it was told before");
    assert_eq!(answer["edited_from"], json!(id));
    let numbers = stage.queue("q");
    assert_eq!(
        [&numbers["dead"], &numbers["waiting"]],
        [&json!(0), &json!(1)]
    );
    let shown = stage.json(&["show", "q", answer["id"].as_str().unwrap(), "--json"]);
    assert_eq!(shown["history"][0]["error"], "no user 7");
    assert_eq!(shown["headers"]["edited_from"], json!(id));
    let received = stage.receive("q");
    assert_eq!(received["body"], r#"{"user":{"id":8},"n":1.50}"#);
    assert_eq!(received["attempt"], 1);
}

#[test]
fn a_body_is_replaced_from_a_file() {
    let stage = Stage::new();
    let id = stage.dead_letter("q", "not json", "bad");
    stage.write("fixed.json", "{}");
    let redriven = stage.run(&["dead", "redrive", "q", &id, "--body", "@fixed.json"]);
    assert_eq!(redriven.code, Some(0), "{}", redriven.stderr);
    assert_eq!(stage.receive("q")["body"], "{}");
}

#[test]
fn a_change_that_cannot_be_made_changes_nothing() {
    let stage = Stage::new();
    let id = stage.dead_letter("q", "not json", "bad");
    let live = stage.enqueue(&["q", "{}"]);
    let unknown = "018f3c7a-5b2e-7d11-9a3b-0123456789ab";
    let table: [(&[&str], i32, &str); 6] = [
        (&[&id, "--set", "a=1"], 2, "the body is not JSON"),
        (&[&id, "--set", "a"], 2, "has no ="),
        (&[&id, "--body", "@no-such-file"], 2, "no file"),
        (
            &[&live, "--body", "x"],
            3,
            "is no dead letter, it is waiting",
        ),
        (&[unknown, "--body", "x"], 3, "header.edited_from="),
        (&["--body", "x"], 2, "name its id"),
    ];
    for (args, code, expected) in table {
        let ended = stage.run(&[&["dead", "redrive", "q"], args].concat());
        assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(expected),
            "{args:?}: {}",
            ended.stderr
        );
    }
    let numbers = stage.queue("q");
    assert_eq!(
        [&numbers["dead"], &numbers["waiting"]],
        [&json!(1), &json!(1)]
    );
}

/// A group that a dead member holds is held until the changed one is worked.
#[test]
fn a_changed_head_is_still_the_head() {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        "version = 1\n[queue.q]\non_group_dead = 'park'\n[[route]]\nname = 'r'\n\
         from = { queue = 'q' }\n[[route.step]]\nexec = { command = ['sh', '-c', 'exit 65'] }\n",
    );
    for body in ["m1", "m2"] {
        stage.enqueue(&["q", body, "--group", "g"]);
    }
    let run = stage.run(&["run", "routes.toml", "--until-idle"]);
    assert_eq!(run.code, Some(4), "the group is parked: {}", run.stderr);
    let dead = stage.json(&["dead", "list", "q", "--json"]);
    let id = dead[0]["id"].as_str().unwrap();
    stage.json(&["dead", "redrive", "q", id, "--body", "m1 mended", "--json"]);
    assert_eq!(stage.receive("q")["body"], "m1 mended");
    let behind = stage.run(&["receive", "q", "--json"]);
    assert_eq!(behind.code, Some(3), "m2 waits: {}", behind.stderr);
}

#[test]
fn what_was_exported_is_imported_whole_and_once() {
    let (from, to) = (Stage::new(), Stage::new());
    for n in 0..3 {
        from.dead_letter("q", &format!("body {n}"), "disk full");
    }
    let exported = from.run(&["dead", "export", "q"]).stdout;
    let exported = String::from_utf8(exported).unwrap();
    to.write("dead.jsonl", format!("{exported}\nnot a dead letter\n"));
    let import = ["dead", "import", "other", "@dead.jsonl", "--json"];
    let first = to.run(&import);
    assert_eq!(first.code, Some(4));
    assert_eq!(
        first.json(),
        json!({"imported": 3, "known": 0, "failed": 1})
    );
    assert!(
        first.stderr.contains("line 5: it is not a JSON object"),
        "{}",
        first.stderr
    );
    let again = to.run(&import);
    assert_eq!(
        again.json(),
        json!({"imported": 0, "known": 3, "failed": 1})
    );
    let strip = |text: &str| {
        let mut lines = lines(text);
        for line in &mut lines {
            line.as_object_mut().unwrap().remove("queue");
        }
        lines
    };
    let there = to.run(&["dead", "export", "other"]).stdout;
    let there = String::from_utf8(there).unwrap();
    assert_eq!(strip(&there), strip(&exported), "history and all");
}
