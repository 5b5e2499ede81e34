//! Changing the store feeds no file twice.

use super::stage::{Ended, Stage};

/// A route that is fed from lines, with these tables beside it.
fn routes(stage: &Stage, more: &str) {
    stage.write(
        "routes.toml",
        format!(
            "version = 1\n{more}[[route]]\nname = 'in'\nfrom = {{ lines = 'in/*.log' }}\n\
             [[route.step]]\nexec = {{ command = ['sh', '-c', 'echo \"$(cat)\" >> worked'] }}\n"
        ),
    );
}

fn fed(stage: &Stage, name: &str, lines: &str) {
    std::fs::create_dir_all(stage.path("in")).unwrap();
    stage.write(&format!("in/{name}"), lines);
}

/// Runs to the end in a store of this name.
fn run(stage: &Stage, store: &str) -> Ended {
    let store = stage.path(store);
    let store = format!("sqlite://{}", store.display());
    stage.run(&[
        "run",
        "routes.toml",
        "--until-idle",
        "--json",
        "--store",
        &store,
    ])
}

fn move_to(stage: &Stage, from: &str, to: &str, queue: &str) -> Ended {
    let url = |name: &str| format!("sqlite://{}", stage.path(name).display());
    let (from, to) = (url(from), url(to));
    stage.run(&[
        "move",
        "route.in",
        queue,
        "--store",
        &from,
        "--to-store",
        &to,
        "--yes",
    ])
}

fn worked(stage: &Stage) -> Vec<String> {
    let text = std::fs::read_to_string(stage.path("worked")).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn progress_goes_along_with_the_queue_it_feeds() {
    let stage = Stage::new();
    routes(&stage, "");
    fed(&stage, "a.log", "1\n2\n");
    fed(&stage, "b.log", "3\n");
    let first = run(&stage, "old.db");
    assert_eq!(
        (first.code, first.json()["acked"].as_u64()),
        (Some(0), Some(3))
    );
    for _ in 0..2 {
        let moved = move_to(&stage, "old.db", "new.db", "route.in");
        assert_eq!(moved.code, Some(0), "{}", moved.stderr);
    }
    fed(&stage, "b.log", "3\n4\n");
    let second = run(&stage, "new.db");
    assert_eq!(
        (second.code, second.json()["acked"].as_u64()),
        (Some(0), Some(1))
    );
    assert_eq!(worked(&stage), ["1", "2", "3", "4"]);
    // The way back: the new store tells of more than the old one remembers.
    let back = move_to(&stage, "new.db", "old.db", "route.in");
    assert!(
        back.stderr.contains("the progress of 1 file went along"),
        "{}",
        back.stderr
    );
    assert_eq!(run(&stage, "old.db").json()["acked"], 0);
}

#[test]
fn a_queue_that_no_file_feeds_takes_no_progress() {
    let stage = Stage::new();
    routes(&stage, "");
    fed(&stage, "a.log", "1\n");
    run(&stage, "old.db");
    let moved = move_to(&stage, "old.db", "new.db", "other");
    assert_eq!(moved.code, Some(0), "{}", moved.stderr);
    assert!(!moved.stderr.contains("progress"), "{}", moved.stderr);
}

#[test]
fn a_run_that_would_feed_again_what_a_named_store_remembers_is_refused() {
    let stage = Stage::new();
    let old = format!(
        "[stores.old]\nurl = 'sqlite://{}'\n",
        stage.path("old.db").display()
    );
    routes(&stage, &old);
    fed(&stage, "a.log", "1\n");
    fed(&stage, "b.log", "2\n");
    assert_eq!(run(&stage, "old.db").code, Some(0));
    let refused = run(&stage, "new.db");
    refused.refused(78, "[stores.old] remembers 2 files of the route in");
    assert!(
        refused.stderr.contains("move route.in route.in --to-store"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        move_to(&stage, "old.db", "new.db", "route.in").code,
        Some(0)
    );
    let second = run(&stage, "new.db");
    assert_eq!(
        (second.code, second.json()["acked"].as_u64()),
        (Some(0), Some(0))
    );
    assert_eq!(worked(&stage), ["1", "2"]);
}

/// Hosts that share no files do not feed each other's: what somebody else's files left in a store
/// that messages are forwarded to is no reason to refuse this run.
#[test]
fn what_others_fed_into_a_named_store_is_no_reason_to_refuse() {
    let stage = Stage::new();
    let old = stage.path("old.db");
    let old = format!("[stores.old]\nurl = 'sqlite://{}'\n", old.display());
    routes(&stage, "");
    let all_hosts = std::fs::read_to_string(stage.path("routes.toml")).unwrap();
    let all_hosts = all_hosts.replace("'in/*.log' }", "'in/*.log', shared = true }");
    stage.write("routes.toml", all_hosts);
    fed(&stage, "a.log", "1\n");
    assert_eq!(run(&stage, "old.db").code, Some(0));
    routes(&stage, &old);
    let of_this_host = run(&stage, "new.db");
    assert_eq!(of_this_host.code, Some(0), "{}", of_this_host.stderr);
    assert_eq!(of_this_host.json()["acked"], 1);
}
