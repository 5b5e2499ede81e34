//! `aggregates`: what is collected is listed and changed.

use super::stage::Stage;

const ROUTES: &str = r#"
[[route]]
name = "carts"
from = { queue = "orders" }
[[route.step]]
aggregate = { by = "{{ body.k }}", to = "out", size = 5, idle = "700ms" }
"#;

impl Stage {
    fn orders(&self, lines: &str) {
        let ended = self.feed(&["enqueue", "orders", "--lines", "-"], lines.as_bytes());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }

    /// Runs the routes until nothing can be done; open epochs that no time completes end it with 4.
    fn collect(&self, routes: &str) {
        self.write("r.toml", routes);
        let ended = self.run(&["run", "r.toml", "--until-idle"]);
        assert!(matches!(ended.code, Some(0 | 4)), "{}", ended.stderr);
    }
}

#[test]
fn what_is_collected_is_listed_shown_closed_and_discarded() {
    let stage = Stage::new();
    stage.orders("{\"k\":\"ann\"}\n{\"k\":\"bob\"}\n{\"k\":\"ann\"}\n");
    stage.collect(&ROUTES.replace(", idle = \"700ms\"", ""));
    let listed = stage.run(&["aggregates", "list"]);
    let line = listed.text().lines().nth(1).unwrap().to_owned();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[..4], ["carts", "2", "3", "0"], "{line}");
    let epochs = stage.json(&["aggregates", "list", "carts", "--json"]);
    let keys: Vec<_> = epochs
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["key"])
        .collect();
    assert_eq!(keys, ["ann", "bob"]);
    assert_eq!(
        (&epochs[0]["parts"], &epochs[0]["missing"]),
        (&2.into(), &3.into())
    );
    let some = stage.json(&[
        "aggregates",
        "list",
        "carts",
        "--where",
        "parts<2",
        "--json",
    ]);
    assert_eq!(some.as_array().unwrap().len(), 1);
    let shown = stage.json(&["aggregates", "show", "carts", "ann", "--json"]);
    assert_eq!(shown[0]["parts_in_order"][1]["body"], "{\"k\":\"ann\"}");
    let noted = stage.run(&["queues"]);
    assert!(
        noted
            .stderr
            .contains("3 messages are being collected in 2 epochs"),
        "{}",
        noted.stderr
    );
    let doctor = stage.run(&["doctor"]);
    assert!(
        doctor
            .text()
            .contains("aggregate carts: 2 epochs open and 0 closed"),
        "{}",
        doctor.text()
    );

    let dry = stage.run(&["aggregates", "close", "carts", "--all", "--dry-run"]);
    assert_eq!(dry.text().trim(), "2 epochs would be closed");
    let closed = stage.run(&["aggregates", "close", "carts", "ann"]);
    assert_eq!(closed.text().trim(), "1 epoch closed");
    stage.collect(&ROUTES.replace(", idle = \"700ms\"", ""));
    assert_eq!(stage.queue("out")["waiting"], 1);
    let discarded = stage.run(&["aggregates", "discard", "carts", "bob", "--yes"]);
    assert_eq!(discarded.text().trim(), "1 epoch discarded");
    let numbers = stage.json(&["aggregates", "list", "--json"]);
    assert_eq!(
        (&numbers[0]["released"], &numbers[0]["discarded"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn what_is_not_there_and_what_nobody_confirmed_is_refused() {
    let stage = Stage::new();
    stage.orders("{\"k\":\"ann\"}\n");
    stage.collect(&ROUTES.replace(", idle = \"700ms\"", ""));
    let refused = |args: &[&str], code: i32, part: &str| stage.run(args).refused(code, part);
    refused(&["aggregates", "list", "cart"], 3, "did you mean carts?");
    refused(
        &["aggregates", "show", "carts", "eve"],
        3,
        "no open or closed epoch",
    );
    refused(
        &["aggregates", "close", "carts", "eve"],
        3,
        "no epoch of the aggregate",
    );
    refused(&["aggregates", "close", "carts", "--all"], 2, "add --yes");
    refused(&["aggregates", "discard", "carts", "ann"], 2, "add --yes");
    refused(
        &["aggregates", "list", "carts", "--where", "kez=1"],
        2,
        "did you mean key?",
    );
    refused(&["aggregates", "close", "carts"], 2, "<KEYS>");
}
