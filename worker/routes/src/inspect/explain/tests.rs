//! Tests of `explain`.

use crate::load::assemble::load_text;

fn explained(label: &str) -> String {
    let text = r#"
        [policy]
        redeliveries = 3
        delay = "200ms"
        [[on_error]]
        match = "http"
        redeliveries = 1
        [[route]]
        name = "r"
        from = { queue = "q" }
        policy = { multiplier = 2.0, delay_max = "1s" }
        [[route.step]]
        log = { message = "x" }
        [[route.on_error]]
        match = "http.503"
        redeliveries = 4
        delays = { 1 = "1s", 3 = "1m" }
        jitter = "full"
        [[route.on_error]]
        match = "exec.exit.65"
        handled = true
        [[route.on_error]]
        match = "exec.exit.7"
        forward = { queue = "sevens" }
        [[route.on_error]]
        match = "file"
        continued = true
        [[route.on_error]]
        match = "exec.signal"
        dead_letter = "now"
        [[route.step]]
        exec = { command = ["true"] }
        [[route.step]]
        http = { get = "http://h/" }
    "#;
    let set = load_text(text, std::path::Path::new("/")).unwrap();
    let plans = set.explain(Some("r"), label).unwrap();
    plans.iter().map(ToString::to_string).collect()
}

#[test]
fn the_policy_decides_where_no_clause_does() {
    assert_eq!(
        explained("exec.exit.1"),
        "exec.exit.1 of the route r\n  \
         decided by the policy; no clause takes this label\n  \
         retry  1 after 200ms (170ms to 230ms)\n  \
         retry  2 after 400ms (340ms to 460ms)\n  \
         retry  3 after 800ms (680ms to 920ms)\n  \
         4 attempts in all, over about 1.4s; then dead letter"
    );
}

#[test]
fn the_longest_label_wins_and_overrides_only_what_it_sets() {
    assert_eq!(
        explained("http.503"),
        "http.503 of the route r\n  \
         decided by the route clause \"http.503\" at r.toml:14\n  \
         retry  1 after 1s (0s to 1s)\n  \
         retry  2 after 1s (0s to 1s)\n  \
         retry  3 after 1m (0s to 1m)\n  \
         retry  4 after 1m (0s to 1m)\n  \
         5 attempts in all, over about 2m 2s; then dead letter"
    );
    assert_eq!(
        explained("http.500"),
        "http.500 of the route r\n  \
         decided by the global clause \"http\" at r.toml:5\n  \
         retry  1 after 200ms (170ms to 230ms)\n  \
         2 attempts in all, over about 200ms; then dead letter"
    );
}

#[test]
fn a_permanent_label_dies_at_once_unless_a_clause_sets_redeliveries() {
    assert!(explained("template").ends_with("dead letter at the first failure"));
    assert!(explained("http.404").contains("2 attempts in all"));
    assert!(explained("forward.unavailable").contains("put back uncharged"));
}

#[test]
fn a_label_that_no_step_gives_is_told_as_such() {
    let rows = [
        ("foo.bar", "labels begin with exec, "),
        ("http.conect", "did you mean http.connect?"),
        ("file.io", "the route has no file step"),
        ("handler.mine", "only handlers of the library"),
    ];
    for (label, reason) in rows {
        let said = format!("  no step of this route fails with it: {reason}");
        assert!(explained(label).contains(&said), "{}", explained(label));
    }
    for label in ["http.503", "exec.exit.1", "timeout", "template"] {
        assert!(!explained(label).contains("no step"), "{label}");
    }
}

#[test]
fn actions_are_told() {
    assert!(explained("exec.exit.65").ends_with("finished as done"));
    assert!(explained("exec.exit.7").ends_with("sent to the queue sevens, then finished as done"));
    assert!(explained("file.io").ends_with("the next step follows"));
    assert!(explained("exec.signal.9").ends_with("dead letter at the first failure"));
}
