//! The JSON of every verb: its fields are a promise.

use serde_json::{Value, json};

use super::stage::Stage;

/// The document with ids, times and receipts replaced: they differ from run to run.
fn redacted(mut value: Value) -> Value {
    redact(&mut value);
    value
}

fn redact(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match (name.as_str(), &*field) {
                    ("id" | "example", Value::String(_)) => *field = json!("ID"),
                    ("receipt", _) => *field = json!("RECEIPT"),
                    ("oldest_age_ms", Value::Number(_)) => *field = json!("AGE"),
                    ("worker", Value::String(_)) => *field = json!("WORKER"),
                    (_, Value::String(text)) if is_time(text) => *field = json!("TIME"),
                    _ => redact(field),
                }
            }
        }
        _ => {}
    }
}

/// RFC 3339 in UTC with milliseconds, and nothing else.
fn is_time(text: &str) -> bool {
    text.len() == 24
        && text.ends_with('Z')
        && text.as_bytes()[10] == b'T'
        && text.as_bytes()[19] == b'.'
}

#[test]
fn enqueue_says_stored_and_duplicate() {
    let stage = Stage::new();
    let id = "018f3c7a-5b2e-7d11-9a3b-0123456789ab";
    let first = stage.json(&["enqueue", "q", "x", "--id", id, "--json"]);
    assert_eq!(
        first,
        json!({ "id": id, "queue": "q", "outcome": "stored" })
    );
    let again = stage.json(&["enqueue", "q", "x", "--id", id, "--json"]);
    assert_eq!(
        again,
        json!({ "id": id, "queue": "q", "outcome": "duplicate" })
    );
}

#[test]
fn a_dedup_repeat_names_the_first_id() {
    let stage = Stage::new();
    let first = stage.json(&["enqueue", "q", "x", "--dedup-key", "k", "--json"]);
    let again = stage.json(&["enqueue", "q", "y", "--dedup-key", "k", "--json"]);
    assert_eq!(again["outcome"], "duplicate");
    assert_eq!(again["id"], first["id"]);
}

#[test]
fn many_are_counted() {
    let stage = Stage::new();
    let ended = stage.feed(&["enqueue", "q", "--lines", "--json"], b"a\nb\n");
    assert_eq!(
        ended.json(),
        json!({ "stored": 2, "duplicate": 0, "failed": 0 })
    );
}

#[test]
fn receive_settle_and_extend() {
    let stage = Stage::new();
    stage.enqueue(&[
        "q",
        "{\"a\":1}",
        "--kind",
        "k",
        "--header",
        "h=v",
        "--group",
        "g",
    ]);
    let received = stage.json(&["receive", "q", "--json"]);
    insta::assert_json_snapshot!(redacted(received.clone()), @r#"
    [
      {
        "attempt": 1,
        "body": "{\"a\":1}",
        "group": "g",
        "headers": {
          "h": "v"
        },
        "id": "ID",
        "kind": "k",
        "leased_until": "TIME",
        "queue": "q",
        "receipt": "RECEIPT"
      }
    ]
    "#);
    let receipt = received[0]["receipt"].as_str().unwrap();
    let extended = stage.json(&["extend", receipt, "--lease", "1m", "--json"]);
    assert_eq!(
        extended,
        json!([{ "receipt": receipt, "outcome": "applied" }])
    );
    let settled = stage.json(&["settle", "ack", receipt, "--json"]);
    assert_eq!(
        settled,
        json!([{ "receipt": receipt, "outcome": "applied" }])
    );
    let again = stage.run(&["settle", "retry", receipt, "--json"]);
    assert_eq!(again.code, Some(4));
    assert_eq!(
        again.json(),
        json!([{ "receipt": receipt, "outcome": "lease_lost" }])
    );
}

#[test]
fn queues_and_peek() {
    let stage = Stage::new();
    stage.enqueue(&["q", "a", "--kind", "k"]);
    stage.enqueue(&["q", "b", "--delay", "1h"]);
    insta::assert_json_snapshot!(redacted(stage.json(&["queues", "--json"])), @r#"
    [
      {
        "counted_ago_ms": null,
        "dead": 0,
        "delayed": 1,
        "exact": true,
        "leased": 0,
        "oldest_age_ms": "AGE",
        "paused": false,
        "queue": "q",
        "waiting": 1
      }
    ]
    "#);
    insta::assert_json_snapshot!(redacted(stage.json(&["peek", "q", "--limit", "1", "--json"])), @r#"
    [
      {
        "attempts": 0,
        "body": "a",
        "due_at": "TIME",
        "expires_at": null,
        "first_enqueued_at": "TIME",
        "group": null,
        "headers": {},
        "id": "ID",
        "kind": "k",
        "leased_until": null,
        "priority": "normal",
        "queue": "q",
        "state": "waiting"
      }
    ]
    "#);
}

#[test]
fn dead_list_show_and_export() {
    let stage = Stage::new();
    let id = stage.dead_letter("q", "b\u{1}", "no such user");
    insta::assert_json_snapshot!(redacted(stage.json(&["dead", "list", "q", "--json"])), @r#"
    [
      {
        "attempts": 1,
        "dead_at": "TIME",
        "error": "no such user",
        "first_enqueued_at": "TIME",
        "id": "ID",
        "kind": "message",
        "queue": "q",
        "reason": "requested"
      }
    ]
    "#);
    let shown = stage.json(&["dead", "show", "q", &id, "--json"]);
    insta::assert_json_snapshot!(redacted(shown.clone()), @r#"
    {
      "attempts": 1,
      "body": "b\u0001",
      "dead_at": "TIME",
      "due_at": "TIME",
      "error": "no such user",
      "expires_at": null,
      "first_enqueued_at": "TIME",
      "group": null,
      "headers": {},
      "history": [
        {
          "attempt": 1,
          "ended_at": "TIME",
          "error": "no such user",
          "label": "requested",
          "started_at": "TIME",
          "worker": "WORKER"
        }
      ],
      "id": "ID",
      "kind": "message",
      "leased_until": null,
      "priority": "normal",
      "queue": "q",
      "reason": "requested",
      "state": "dead"
    }
    "#);
    assert_eq!(stage.json(&["show", "q", &id, "--json"]), shown);
    let exported = stage.json(&["dead", "export", "q"]);
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(&exported[name], value, "{name}");
    }
    let groups = stage.json(&["dead", "list", "q", "--group-by", "error", "--json"]);
    insta::assert_json_snapshot!(redacted(groups), @r#"
    [
      {
        "count": 1,
        "error": "no such user",
        "example": "ID",
        "first_dead_at": "TIME",
        "last_dead_at": "TIME"
      }
    ]
    "#);
}

#[test]
fn show_tells_the_state() {
    let stage = Stage::new();
    let waiting = stage.enqueue(&["q", "a"]);
    let delayed = stage.enqueue(&["q", "b", "--delay", "1h"]);
    let place = |id: &str| stage.json(&["show", "q", id, "--json"])["state"].clone();
    assert_eq!(place(&waiting), "waiting");
    assert_eq!(place(&delayed), "delayed");
    let receipt = stage.receipt("q");
    assert_eq!(place(&waiting), "leased");
    stage.run(&["settle", "release", &receipt]);
    assert_eq!(place(&waiting), "waiting");
    let receipt = stage.receipt("q");
    stage.run(&["settle", "retry", &receipt]);
    assert_eq!(place(&waiting), "waiting", "a retry without a delay");
    let receipt = stage.receipt("q");
    stage.run(&["settle", "retry", &receipt, "--delay", "1h"]);
    assert_eq!(place(&waiting), "delayed");
}

#[test]
fn bulk_verbs_say_what_they_did() {
    let stage = Stage::new();
    stage.dead_letter("q", "a", "e");
    let dry = stage.json(&["dead", "redrive", "q", "--dry-run", "--json"]);
    assert_eq!(
        dry,
        json!({ "queue": "q", "matched": 1, "changed": 0, "refused": 0, "dry_run": true })
    );
    let done = stage.json(&["dead", "redrive", "q", "--yes", "--json"]);
    assert_eq!(
        done,
        json!({ "queue": "q", "matched": 1, "changed": 1, "refused": 0, "dry_run": false })
    );
    let moved = stage.json(&["move", "q", "r", "--yes", "--json"]);
    assert_eq!(
        moved,
        json!({ "from": "q", "to": "r", "moved": 1, "dead": 0, "leased": 0, "dry_run": false })
    );
    let purged = stage.json(&["purge", "r", "--yes", "--json"]);
    assert_eq!(
        purged,
        json!({ "queue": "r", "removed": 1, "dry_run": false })
    );
    let paused = stage.json(&["pause", "--create", "r", "--reason", "x", "--json"]);
    assert_eq!(paused, json!({ "queue": "r", "paused": true }));
    let resumed = stage.json(&["resume", "r", "--json"]);
    assert_eq!(
        resumed,
        json!({ "queue": "r", "paused": false, "was_paused": true })
    );
    let id = stage.enqueue(&["q", "x"]);
    let cancelled = stage.json(&["cancel", "q", &id, "--json"]);
    assert_eq!(cancelled, json!([{ "id": id, "outcome": "applied" }]));
    assert_eq!(stage.json(&["workers", "--json"]), json!([]));
}

#[test]
fn doctor_prints_findings() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    let findings = stage.json(&["doctor", "--json"]);
    let findings = findings.as_array().unwrap();
    assert!(findings.len() > 2);
    for finding in findings {
        let fields: Vec<&String> = finding.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["check", "fix", "found", "severity"]);
    }
    let unserved = findings
        .iter()
        .find(|finding| finding["check"] == "queue q")
        .unwrap();
    assert_eq!(unserved["severity"], "warning");
}

#[test]
fn doctor_names_what_holds_a_queue_up_once() {
    let stage = Stage::new();
    stage.run(&["pause", "--create", "q"]);
    stage.run(&["pause", "--create", "r", "--reason", "a rush"]);
    let findings = stage.json(&["doctor", "--json"]);
    let of = |queue: &str| -> Vec<String> {
        let findings = findings.as_array().unwrap().iter();
        findings
            .filter(|one| one["check"] == format!("queue {queue}"))
            .map(|one| one["found"].as_str().unwrap().to_owned())
            .collect()
    };
    let (bare, reasoned) = (of("q"), of("r"));
    assert_eq!((bare.len(), reasoned.len()), (1, 1), "{findings}");
    assert!(bare[0].ends_with(": no reason given"), "{bare:?}");
    assert!(reasoned[0].ends_with(": a rush"), "{reasoned:?}");
}

#[test]
fn a_dry_run_over_ids_has_a_row_for_each_and_ends_as_the_run_would() {
    let stage = Stage::new();
    let dead = stage.dead_letter("q", "a", "e");
    let live = stage.enqueue(&["q", "b"]);
    for verb in ["redrive", "discard"] {
        let dry = stage.json(&["dead", verb, "q", &dead, "--dry-run", "--json"]);
        assert_eq!(dry, json!([{ "id": dead, "outcome": "would_apply" }]));
        let mixed = stage.run(&["dead", verb, "q", &dead, &live, "--dry-run", "--json"]);
        mixed.refused(4, "1 of 2 would be ");
        assert_eq!(
            mixed.json(),
            json!([
                { "id": dead, "outcome": "would_apply" },
                { "id": live, "outcome": "not_found" }
            ])
        );
        stage
            .run(&["dead", verb, "q", &live, "--dry-run"])
            .refused(3, "nothing would be ");
    }
    assert_eq!(stage.queue("q")["dead"], 1, "nothing was changed");
}
