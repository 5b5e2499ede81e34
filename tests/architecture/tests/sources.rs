//! Rules that hold in every source file.

use longshore_architecture_tests::{
    Source, logic_lines, rust_sources, text_files, without_comments, without_tests,
};

/// Where the wall clock may be read, and what for.
const CLOCKS: &[(&str, &str)] = &[
    ("backends/cassandra/src/clock.rs", "the store's clock"),
    ("backends/memory/src/clock.rs", "the store's clock"),
    (
        "backends/redis/src/clock.rs",
        "doctor compares it with the server's",
    ),
    ("backends/sqlite/src/clock.rs", "the store's clock"),
    ("worker/src/clock.rs", "times in attempt records"),
    (
        "worker/cli/src/bench/session.rs",
        "ids that no other bench has",
    ),
];

/// A file beyond this is two files.
const LINES_MAX: usize = 600;

/// Names that say nothing about what is inside.
const NAMELESS: &[&str] = &[
    "utils.rs",
    "util.rs",
    "helpers.rs",
    "helper.rs",
    "common.rs",
    "manager.rs",
    "misc.rs",
    "stuff.rs",
    "types.rs",
];

/// Each `path:line: text` of the files where `broken` finds something, or nothing.
fn findings(sources: &[Source], broken: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let code = without_comments(&source.text);
        for (index, line) in code.lines().enumerate() {
            if broken(source, line) {
                found.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    found
}

fn shipped() -> Vec<Source> {
    let all = rust_sources().into_iter();
    all.filter(|source| !source.is_for_tests())
        .map(|source| Source {
            text: without_tests(&source.text).to_owned(),
            ..source
        })
        .collect()
}

#[test]
fn the_walk_finds_the_code() {
    let sources = rust_sources();
    assert!(
        sources
            .iter()
            .any(|source| source.path == "core/src/lib.rs")
    );
    assert!(
        sources
            .iter()
            .any(|source| source.path == "tests/architecture/tests/sources.rs")
    );
    assert!(
        shipped()
            .iter()
            .all(|source| !source.path.starts_with("tests/"))
    );
}

#[test]
fn lib_and_mod_files_only_declare() {
    let mut found = Vec::new();
    for source in rust_sources() {
        if ["lib.rs", "mod.rs"].contains(&source.name()) {
            for (line, text) in logic_lines(&source.text) {
                found.push(format!("{}:{line}: {text}", source.path));
            }
        }
    }
    assert!(
        found.is_empty(),
        "logic among declarations:\n{}",
        found.join("\n")
    );
}

#[test]
fn files_have_names_that_say_something() {
    for source in rust_sources() {
        assert!(
            !NAMELESS.contains(&source.name()),
            "{} says nothing",
            source.path
        );
    }
}

#[test]
fn files_are_short() {
    let mut found = Vec::new();
    for source in rust_sources() {
        let lines = source.text.lines().count();
        if lines >= LINES_MAX {
            found.push(format!("{}: {lines} lines", source.path));
        }
    }
    assert!(
        found.is_empty(),
        "split at {LINES_MAX} lines:\n{}",
        found.join("\n")
    );
}

#[test]
fn most_files_are_read_at_one_go() {
    let mut lengths: Vec<_> = shipped()
        .iter()
        .map(|source| source.text.lines().count())
        .collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(
        median <= 200,
        "half of all files have more than {median} lines"
    );
}

#[test]
fn the_wall_clock_is_read_in_its_own_files() {
    let readings = [
        "SystemTime::now",
        "Timestamp::now()",
        "Zoned::now",
        "Utc::now",
        "Local::now",
    ];
    let found = findings(&shipped(), |source, line| {
        !CLOCKS.iter().any(|(file, _)| source.path == *file)
            && readings.iter().any(|call| line.contains(call))
    });
    assert!(
        found.is_empty(),
        "ask the injected clock:\n{}",
        found.join("\n")
    );
}

#[test]
fn every_named_clock_file_reads_it() {
    let sources = shipped();
    for (clock, what_for) in CLOCKS {
        let file = sources.iter().find(|source| source.path == *clock);
        assert!(
            file.is_some_and(|file| file.text.contains("::now()")),
            "{clock} does not read the clock any more ({what_for})"
        );
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|parts| parts.concat());
    let mut found = Vec::new();
    for source in text_files(&["rs", "toml", "sh", "sql", "md"]) {
        for (index, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark.as_str())) {
                found.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "do it or leave it out:\n{}",
        found.join("\n")
    );
}

#[test]
fn shipped_code_does_not_panic_by_habit() {
    let calls = [
        ".unwrap()",
        "panic!(",
        "unreachable!(",
        "todo!(",
        "unimplemented!(",
    ];
    let found = findings(&shipped(), |_, line| {
        calls.iter().any(|call| line.contains(call))
    });
    assert!(
        found.is_empty(),
        "answer with an error instead:\n{}",
        found.join("\n")
    );
}

#[test]
fn lints_are_expected_with_a_reason_and_never_silenced() {
    let found = findings(&rust_sources(), |source, line| {
        !source.path.ends_with("architecture/tests/sources.rs")
            && (line.contains("#[allow(") || line.contains("#![allow("))
    });
    assert!(
        found.is_empty(),
        "use #[expect(lint, reason = \"…\")]:\n{}",
        found.join("\n")
    );
    let mut without_reason = Vec::new();
    for source in rust_sources() {
        for start in ["#[expect(", "#![expect("] {
            for (at, _) in source.text.match_indices(start) {
                let attribute = source.text[at..].split(")]").next().unwrap_or_default();
                let line = source.text[..at].lines().count() + 1;
                if !attribute.contains("reason") && !source.path.contains("architecture/") {
                    without_reason.push(format!("{}:{line}", source.path));
                }
            }
        }
    }
    assert!(
        without_reason.is_empty(),
        "say why:\n{}",
        without_reason.join("\n")
    );
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let folders = ["root", "home"].map(|folder| format!("/{folder}/"));
    let mut found = Vec::new();
    for source in text_files(&["rs", "toml", "sh", "md", "yaml", "service", "snap", "txt"]) {
        for (index, line) in source.text.lines().enumerate() {
            if folders.iter().any(|folder| line.contains(folder.as_str())) {
                found.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
