//! `routes` and the schema of route files.

use super::stage::Stage;

const GOOD: &str = r#"
version = 1

[[route]]
name = "copy"
from = { queue = "in" }
[[route.step]]
exec = { command = ["cat"], stdin = "body", stdout = "body" }
[[route.step]]
forward = { queue = "out" }
[[route.on_error]]
match = "http.503"
redeliveries = 3
delay = "5s"
"#;

#[test]
fn a_good_file_is_checked_shown_and_explained() {
    let stage = Stage::new();
    stage.write("routes.toml", GOOD);
    let checked = stage.run(&["routes", "check", "routes.toml"]);
    assert_eq!(
        checked.code,
        Some(0),
        "{} {}",
        checked.text(),
        checked.stderr
    );
    assert!(
        checked.text().contains("1 route, 0 problems"),
        "{}",
        checked.text()
    );
    let shown = stage.run(&["routes", "show", "routes.toml"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(
        shown.text().contains("copy") && shown.text().contains("out"),
        "{}",
        shown.text()
    );
    let explained = stage.run(&["routes", "explain", "routes.toml", "--error", "http.503"]);
    assert_eq!(explained.code, Some(0), "{}", explained.stderr);
    assert!(explained.text().contains('5'), "{}", explained.text());
    for verb in [
        vec!["routes", "check", "routes.toml", "--json"],
        vec!["routes", "show", "routes.toml", "--json"],
        vec![
            "routes",
            "explain",
            "routes.toml",
            "--error",
            "timeout",
            "--json",
        ],
        vec!["schema"],
    ] {
        stage.json(&verb);
    }
}

#[test]
fn mistakes_are_told_with_line_and_column() {
    let stage = Stage::new();
    stage.write("one.toml", GOOD.replace("redeliveries", "redelivries"));
    let ended = stage.run(&["routes", "check", "one.toml"]);
    ended.refused(78, "one.toml:13:1");
    assert!(ended.stderr.contains("redeliveries"), "{}", ended.stderr);
    let json = stage.run(&["routes", "check", "one.toml", "--json"]);
    assert_eq!(json.code, Some(78));
    assert_eq!(json.json()["mistakes"][0]["line"], 13);
    stage.write(
        "two.toml",
        GOOD.replace("redeliveries", "redelivries")
            .replace("delay", "dealy"),
    );
    let ended = stage.run(&["run", "two.toml"]);
    assert_eq!(ended.code, Some(78), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 3, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("2 mistakes found"),
        "{}",
        ended.stderr
    );
}

#[test]
fn files_that_cannot_be_read_end_with_78() {
    let stage = Stage::new();
    stage
        .run(&["routes", "check", "missing.toml"])
        .refused(78, "missing.toml");
    std::fs::create_dir(stage.path("folder")).unwrap();
    stage.run(&["run", "folder"]).refused(78, "folder");
    stage.write("bytes.toml", b"\xff\xfe");
    stage.run(&["run", "bytes.toml"]).refused(78, "bytes.toml");
    assert!(!stage.path("longshore.db").exists(), "nothing was created");
}

#[test]
fn a_missing_program_is_a_problem_and_stops_a_run() {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        GOOD.replace("\"cat\"", "\"no-such-program-here\""),
    );
    let checked = stage.run(&["routes", "check", "routes.toml"]);
    assert_eq!(checked.code, Some(5), "{}", checked.text());
    assert!(
        checked.text().contains("no-such-program-here"),
        "{}",
        checked.text()
    );
    stage
        .run(&["run", "routes.toml", "--until-idle"])
        .refused(78, "no-such-program-here");
}

#[test]
fn unknown_routes_and_labels() {
    let stage = Stage::new();
    stage.write("routes.toml", GOOD);
    stage
        .run(&["run", "routes.toml", "--route", "cpoy"])
        .refused(2, "copy");
    stage
        .run(&["run", "--route", "zzz", "routes.toml"])
        .refused(2, "there is no route \"zzz\"; there are copy");
    let one = ["run", "--until-idle", "--route", "copy", "routes.toml"];
    assert_eq!(stage.run(&one).code, Some(0), "one name for each --route");
    let foreign = ["routes", "explain", "routes.toml", "--error", "foo.bar"];
    let told = stage.run(&foreign).text().to_owned();
    assert!(
        told.contains("no step of this route fails with it"),
        "{told}"
    );
    let own = ["routes", "explain", "routes.toml", "--error", "exec.exit.7"];
    let told = stage.run(&own).text().to_owned();
    assert!(!told.contains("no step of this route"), "{told}");
    let bad = ["routes", "explain", "routes.toml", "--error", "a b"];
    stage.run(&bad).refused(2, "label");
    let bad = [
        "routes",
        "explain",
        "routes.toml",
        "--error",
        "timeout",
        "--route",
        "cpoy",
    ];
    stage.run(&bad).refused(2, "copy");
}

#[test]
fn a_file_without_routes_has_nothing_to_run() {
    let stage = Stage::new();
    stage.write("empty.toml", "version = 1\n");
    let checked = stage.run(&["routes", "check", "empty.toml"]);
    assert_eq!(checked.code, Some(5), "{}", checked.text());
    assert!(
        checked
            .text()
            .contains("PROBLEM routes: there is no route to run; add a [[route]]"),
        "{}",
        checked.text()
    );
    stage
        .run(&["run", "empty.toml"])
        .refused(78, "empty.toml: there is no route to run; add a [[route]]");
}
