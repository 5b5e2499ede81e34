//! Dead letters: filters, pages, redrive, discard.

use serde_json::{Value, json};

use super::stage::Stage;

/// A stage with six dead letters of two errors.
fn stage() -> (Stage, Vec<String>) {
    let stage = Stage::new();
    let ids = (0..6)
        .map(|n| {
            let error = if n % 3 == 0 {
                "disk full"
            } else {
                "user 17 is gone"
            };
            stage.dead_letter(
                "q",
                &format!("body {n}"),
                &error.replace("17", &n.to_string()),
            )
        })
        .collect();
    (stage, ids)
}

fn ids(rows: &Value) -> Vec<String> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn filters_are_anded_and_counted() {
    let (stage, all) = stage();
    let full = stage.json(&["dead", "list", "q", "--where", "error=disk full", "--json"]);
    assert_eq!(ids(&full), [all[0].clone(), all[3].clone()]);
    let none = stage.run(&[
        "dead",
        "list",
        "q",
        "--where",
        "error~disk",
        "--where",
        "kind=x",
        "--json",
    ]);
    assert_eq!((none.code, none.json()), (Some(0), json!([])));
    let groups = stage.json(&["dead", "list", "q", "--group-by", "error", "--json"]);
    let counts: Vec<u64> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [4, 2], "numbers in errors do not matter");
    let reasons = stage.json(&["dead", "list", "q", "--group-by", "reason", "--json"]);
    assert_eq!(
        (&reasons[0]["reason"], &reasons[0]["count"]),
        (&json!("requested"), &json!(6))
    );
}

#[test]
fn pages_miss_nothing_also_with_a_filter() {
    let (stage, all) = stage();
    for filter in [vec![], vec!["--where", "error~gone"]] {
        let mut seen = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut args = vec!["dead", "list", "q", "--limit", "1", "--json"];
            args.extend(&filter);
            if let Some(after) = &after {
                args.extend(["--after", after]);
            }
            let ended = stage.run(&args);
            seen.extend(ids(&ended.json()));
            after = ended
                .stderr
                .split_once("--after ")
                .map(|(_, cursor)| cursor.trim().to_owned());
            if after.is_none() {
                break;
            }
        }
        let expected: Vec<String> = all
            .iter()
            .enumerate()
            .filter(|(n, _)| filter.is_empty() || n % 3 != 0)
            .map(|(_, id)| id.clone())
            .collect();
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_dry_run_counts_what_the_real_run_does() {
    let (stage, all) = stage();
    let filter = ["--where", "error~disk"];
    let mut args = vec!["dead", "redrive", "q", "--dry-run", "--json"];
    args.extend(filter);
    assert_eq!(stage.json(&args)["matched"], 2);
    assert_eq!(stage.queue("q")["dead"], 6, "nothing was changed");
    let mut args = vec!["dead", "redrive", "q", "--yes", "--json"];
    args.extend(filter);
    assert_eq!(stage.json(&args)["changed"], 2);
    let numbers = stage.queue("q");
    assert_eq!(
        (&numbers["dead"], &numbers["waiting"]),
        (&json!(4), &json!(2))
    );
    let shown = stage.json(&["show", "q", &all[0], "--json"]);
    assert_eq!(
        (&shown["state"], &shown["attempts"]),
        (&json!("waiting"), &json!(0))
    );
    assert_eq!(
        shown["history"].as_array().unwrap().len(),
        1,
        "history is kept"
    );
    assert_eq!(stage.receive("q")["attempt"], 1);
}

#[test]
fn limit_and_rate() {
    let (stage, _) = stage();
    let began = std::time::Instant::now();
    let args = [
        "dead", "redrive", "q", "--limit", "4", "--rate", "10/s", "--yes", "--json",
    ];
    assert_eq!(stage.json(&args)["changed"], 4);
    assert!(
        began.elapsed().as_millis() >= 380,
        "four at ten a second take 0.4 s"
    );
    assert_eq!(stage.queue("q")["dead"], 2);
}

#[test]
fn single_ids_are_told_one_by_one() {
    let (stage, all) = stage();
    let missing = "018f3c7a-5b2e-7d11-9a3b-0123456789ab";
    let ended = stage.run(&["dead", "discard", "q", &all[0], missing, "--json"]);
    ended.refused(4, "1 of 2 discarded");
    assert_eq!(
        ended.json(),
        json!([{ "id": all[0], "outcome": "applied" }, { "id": missing, "outcome": "not_found" }])
    );
    stage
        .run(&["dead", "discard", "q", missing])
        .refused(3, "nothing was discarded");
    stage
        .run(&["dead", "show", "q", missing])
        .refused(3, "no message");
    stage
        .run(&["dead", "redrive", "q", missing, "--dry-run"])
        .refused(3, "nothing would be redriven");
    let live = stage.enqueue(&["q", "x"]);
    stage
        .run(&["dead", "show", "q", &live])
        .refused(3, "is no dead letter, it is waiting");
    stage
        .run(&["dead", "export", "q", &live])
        .refused(3, "is no dead letter");
}

#[test]
fn export_prints_lines_and_removes_nothing() {
    let (stage, all) = stage();
    let ended = stage.run(&["dead", "export", "q"]);
    let lines: Vec<Value> = ended
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0]["id"], json!(all[0]));
    assert_eq!(lines[5]["body"], "body 5");
    assert_eq!(lines[5]["history"][0]["error"], "user 5 is gone");
    assert_eq!(stage.queue("q")["dead"], 6);
}

#[test]
fn discard_of_all_leaves_nothing() {
    let (stage, _) = stage();
    assert_eq!(
        stage.json(&["dead", "discard", "q", "--yes", "--json"])["changed"],
        6
    );
    assert_eq!(stage.queue("q")["dead"], 0);
    assert_eq!(stage.json(&["dead", "list", "q", "--json"]), json!([]));
}

#[test]
fn no_such_queue_is_3() {
    let (stage, _) = stage();
    for args in [
        vec!["dead", "list", "qq"],
        vec!["dead", "list", "qq", "--group-by", "error"],
        vec!["dead", "redrive", "qq", "--yes"],
        vec!["dead", "discard", "qq", "--dry-run"],
        vec!["dead", "export", "qq"],
    ] {
        stage.run(&args).refused(3, "there is no queue \"qq\"");
    }
}

#[test]
fn the_step_that_failed_is_shown_with_the_body_that_it_had() {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        "[policy]\nredeliveries = 0\n[[route]]\nname = 'r'\nfrom = { queue = 'q' }\n\
         [[route.step]]\nexec = { command = ['tr', 'a-z', 'A-Z'], stdout = 'body' }\n\
         [[route.step]]\nlog = { message = 'was {{ original }}, is {{ body }}' }\n\
         [[route.step]]\nexec = { command = ['sh', '-c', 'exit 65'] }\n",
    );
    let id = stage.enqueue(&["q", "small"]);
    let run = stage.run(&["run", "routes.toml", "--until-idle"]);
    assert!(run.stderr.contains("was small, is SMALL"), "{}", run.stderr);
    let shown = stage.json(&["dead", "show", "q", &id, "--json"]);
    assert_eq!(shown["body"], "small");
    assert_eq!(
        (&shown["step"]["number"], &shown["step"]["body"]),
        (&json!(3), &json!("SMALL"))
    );
    assert_eq!(shown["step"]["name"], "exec sh -c exit 65");
    let text = stage.run(&["dead", "show", "q", &id]);
    assert!(
        text.text()
            .contains("step 3 of route r: exec sh -c exit 65")
    );
    assert!(text.text().ends_with("SMALL\n"), "{}", text.text());
}
