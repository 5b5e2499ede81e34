//! Every verb of the contract exists and its help has an example.

use super::stage::Stage;

/// The verbs of the contract, each as it is called.
const VERBS: [&[&str]; 38] = [
    &["enqueue"],
    &["run"],
    &["receive"],
    &["settle"],
    &["extend"],
    &["queues"],
    &["peek"],
    &["show"],
    &["cancel"],
    &["reschedule"],
    &["init"],
    &["dead"],
    &["dead", "list"],
    &["dead", "show"],
    &["dead", "redrive"],
    &["dead", "discard"],
    &["dead", "export"],
    &["aggregates"],
    &["aggregates", "list"],
    &["aggregates", "show"],
    &["aggregates", "close"],
    &["aggregates", "discard"],
    &["purge"],
    &["move"],
    &["pause"],
    &["resume"],
    &["routes"],
    &["routes", "check"],
    &["routes", "show"],
    &["routes", "explain"],
    &["workers"],
    &["backup"],
    &["bench"],
    &["doctor"],
    &["fsck"],
    &["schema"],
    &["schema", "apply"],
    &["completions"],
];

#[test]
fn every_verb_has_help_with_an_example() {
    let stage = Stage::new();
    for verb in VERBS {
        let mut args = verb.to_vec();
        args.push("--help");
        let ended = stage.run(&args);
        assert_eq!(ended.code, Some(0), "{verb:?}: {}", ended.stderr);
        let help = ended.text();
        let call = format!("  longshore {}", verb.join(" "));
        let example = help
            .split_once("Example")
            .map(|(_, examples)| examples)
            .unwrap_or_default();
        assert!(
            example.contains(&call) || example.contains("longshore --store"),
            "the help of {verb:?} has no example:\n{help}"
        );
    }
}

#[test]
fn options_of_the_contract_exist() {
    let stage = Stage::new();
    let table: [(&[&str], &[&str]); 12] = [
        (
            &["enqueue"],
            &[
                "--kind",
                "--header",
                "--delay",
                "--at",
                "--expires",
                "--priority",
                "--group",
                "--dedup-key",
                "--dedup-window",
                "--id",
                "--lines",
                "--jsonl",
            ],
        ),
        (&["run"], &["--route", "--admin", "--until-idle"]),
        (&["receive"], &["--max", "--lease", "--wait"]),
        (&["settle"], &["--delay", "--reason"]),
        (&["extend"], &["--lease"]),
        (
            &["dead", "list"],
            &["--where", "--limit", "--after", "--group-by"],
        ),
        (
            &["dead", "redrive"],
            &[
                "--where",
                "--limit",
                "--after",
                "--rate",
                "--dry-run",
                "--yes",
            ],
        ),
        (&["dead", "export"], &["--where"]),
        (&["purge"], &["--yes"]),
        (&["move"], &["--to-store", "--yes"]),
        (&["pause"], &["--reason"]),
        (&["routes", "explain"], &["--error"]),
    ];
    for (verb, options) in table {
        let mut args = verb.to_vec();
        args.push("--help");
        let help = stage.run(&args);
        let global = ["--store", "--config", "--json", "--quiet", "--verbose"];
        for option in options.iter().chain(&global) {
            assert!(help.text().contains(option), "{verb:?} has no {option}");
        }
    }
}

#[test]
fn version_and_no_arguments() {
    let stage = Stage::new();
    let version = stage.run(&["--version"]);
    assert_eq!(version.code, Some(0));
    assert_eq!(
        version.text(),
        format!("longshore {}\n", env!("CARGO_PKG_VERSION"))
    );
    let nothing = stage.run::<&str>(&[]);
    assert_eq!(nothing.code, Some(2));
    assert!(nothing.stdout.is_empty());
    assert!(
        nothing.stderr.contains("Usage: longshore"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn completions_are_made_for_each_shell() {
    let stage = Stage::new();
    for shell in ["bash", "zsh", "fish"] {
        let ended = stage.run(&["completions", shell]);
        assert_eq!(ended.code, Some(0));
        assert!(ended.text().contains("redrive"), "{shell}");
    }
}

#[test]
fn the_page_about_the_command_line_names_every_verb_and_option() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    for verb in VERBS {
        let word = verb[verb.len() - 1];
        assert!(page.contains(word), "docs/cli.md does not name {verb:?}");
    }
    let stage = Stage::new();
    for verb in VERBS.iter().filter(|verb| verb[0] != "bench") {
        let mut args = verb.to_vec();
        args.push("--help");
        let help = stage.run(&args);
        let options = help
            .text()
            .split(|c: char| !(c.is_ascii_lowercase() || c == '-'))
            .filter(|word| word.starts_with("--") && word.len() > 2);
        for option in options {
            let known = ["--help", "--quiet", "--verbose", "--quality"].contains(&option);
            assert!(
                known || page.contains(option),
                "docs/cli.md does not name {option}"
            );
        }
    }
}

#[test]
fn help_is_a_verb_too() {
    let stage = Stage::new();
    let ended = stage.run(&["help", "enqueue"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.text().contains("--dedup-key"));
}
