//! Who may depend on whom.

use std::collections::BTreeSet;

use longshore_architecture_tests::{Crates, Needs};

/// A member of the workspace and the other members it may name.
struct Row {
    name: &'static str,
    may: &'static [&'static str],
    /// For its tests only, each with the reason.
    for_tests: &'static [(&'static str, &'static str)],
}

const TABLE: &[Row] = &[
    Row {
        name: "longshore-core",
        may: &[],
        for_tests: &[("longshore-fuzz", "feeds its parsers")],
    },
    Row {
        name: "longshore-memory",
        may: &["longshore-core"],
        for_tests: &[
            ("longshore-conformance", "runs the suite"),
            ("longshore-core", "the clock that tests move"),
            ("longshore-fuzz", "feeds its parsers"),
        ],
    },
    Row {
        name: "longshore-sqlite",
        may: &["longshore-core"],
        for_tests: &[
            ("longshore-conformance", "runs the suite"),
            ("longshore-core", "the clock that tests move"),
            ("longshore-fuzz", "feeds its parsers"),
            (
                "longshore-memory",
                "the reference model of the property test",
            ),
        ],
    },
    Row {
        name: "longshore-redis",
        may: &["longshore-core"],
        for_tests: &[
            ("longshore-conformance", "runs the suite"),
            ("longshore-core", "the clock that tests move"),
            ("longshore-fuzz", "feeds its parsers"),
            (
                "longshore-memory",
                "the reference model of the property test",
            ),
            ("longshore-redis-server", "a server to work on"),
        ],
    },
    Row {
        name: "longshore-cassandra",
        may: &["longshore-core"],
        for_tests: &[
            ("longshore-conformance", "runs the suite"),
            ("longshore-core", "the clock that tests move"),
            ("longshore-fuzz", "feeds its parsers"),
            (
                "longshore-memory",
                "the reference model of the property test",
            ),
        ],
    },
    Row {
        name: "longshore-backends",
        may: &[
            "longshore-cassandra",
            "longshore-core",
            "longshore-memory",
            "longshore-redis",
            "longshore-sqlite",
        ],
        for_tests: &[],
    },
    Row {
        name: "longshore",
        may: &["longshore-core", "longshore-backends"],
        for_tests: &[
            ("longshore", "its own test kit and all its features"),
            ("longshore-conformance", "the store behind faults"),
            ("longshore-fuzz", "feeds its parsers"),
        ],
    },
    Row {
        name: "longshore-routes",
        may: &["longshore", "longshore-core"],
        for_tests: &[
            ("longshore", "its test kit and stores"),
            ("longshore-conformance", "the store behind faults"),
            ("longshore-fuzz", "feeds its parsers"),
        ],
    },
    Row {
        name: "longshore-cli",
        may: &["longshore", "longshore-routes"],
        for_tests: &[
            ("longshore-fuzz", "feeds its parsers"),
            ("longshore-redis-server", "a store to work on"),
        ],
    },
    Row {
        name: "longshore-conformance",
        may: &["longshore-core"],
        for_tests: &[],
    },
    Row {
        name: "longshore-fuzz",
        may: &[],
        for_tests: &[],
    },
    Row {
        name: "longshore-redis-server",
        may: &[],
        for_tests: &[],
    },
    Row {
        name: "longshore-system-tests",
        may: &["longshore", "longshore-redis-server"],
        for_tests: &[],
    },
    Row {
        name: "longshore-architecture-tests",
        may: &[],
        for_tests: &[],
    },
    Row {
        name: "longshore-benches",
        may: &["longshore-core"],
        for_tests: &[],
    },
];

/// What core may name besides: small, pure, and each for one thing.
const CORE_MAY: &[&str] = &[
    "async-trait",
    "base64",
    "bytes",
    "percent-encoding",
    "serde",
    "serde_json",
    "strsim",
    "thiserror",
    "uuid",
    "xxhash-rust",
];

#[test]
fn every_member_has_a_row_and_every_row_a_member() {
    let rows: BTreeSet<_> = TABLE.iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(
        Crates::read().names(),
        rows,
        "keep the table and the workspace alike"
    );
}

#[test]
fn members_name_only_the_members_they_may() {
    let crates = Crates::read();
    let members = crates.names();
    let mut wrong = Vec::new();
    for row in TABLE {
        let may: BTreeSet<_> = row.may.iter().copied().collect();
        let tests: BTreeSet<_> = row.for_tests.iter().map(|(name, _)| *name).collect();
        for (needs, allowed) in [(Needs::Always, may), (Needs::ForTests, tests)] {
            for named in crates.dependencies(row.name, needs) {
                if members.contains(&named) && !allowed.contains(named.as_str()) {
                    wrong.push(format!("{} names {named} ({needs:?})", row.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_exception_outlives_its_use() {
    let crates = Crates::read();
    for row in TABLE {
        let named = crates.dependencies(row.name, Needs::ForTests);
        for (exception, reason) in row.for_tests {
            let kept = named.contains(*exception);
            assert!(kept, "{} no longer needs {exception} ({reason})", row.name);
        }
    }
}

#[test]
fn core_names_small_pure_crates_only() {
    let named = Crates::read().dependencies("longshore-core", Needs::Always);
    let may: BTreeSet<_> = CORE_MAY.iter().map(|&name| name.to_owned()).collect();
    let others: Vec<_> = named.difference(&may).collect();
    assert!(others.is_empty(), "core may not name {others:?}");
}

/// Drivers, and who may name them: their backend, and the audit that shares no code with it.
const DRIVERS: &[(&str, &[&str])] = &[
    ("rusqlite", &["longshore-sqlite", "longshore-system-tests"]),
    ("notify", &["longshore-sqlite"]),
    ("redis", &["longshore-redis"]),
    ("scylla", &["longshore-cassandra", "longshore-system-tests"]),
];

#[test]
fn drivers_stay_in_their_backend() {
    let crates = Crates::read();
    for member in crates.names() {
        for needs in [Needs::Always, Needs::ForTests] {
            let named = crates.dependencies(&member, needs);
            for (driver, homes) in DRIVERS {
                assert!(
                    homes.contains(&member.as_str()) || !named.contains(*driver),
                    "{member} names {driver}, which belongs to {homes:?}",
                );
            }
        }
    }
}
