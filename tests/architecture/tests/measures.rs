//! Sizes that keep the house one in which things are found: held, so that they do not creep.

use std::collections::{BTreeMap, BTreeSet};

use longshore_architecture_tests::{Source, rust_sources, without_comments, without_tests};

/// Rust files in one folder.
const FILES_MAX: usize = 25;

/// Lines of a file that is shipped.
const LINES_MAX: usize = 350;

/// Lines of the longest function in a hundred, from its signature to its closing brace.
const FUNCTION_P99: usize = 50;

/// Files with methods of one type.
const IMPL_FILES_MAX: usize = 5;

/// Types whose methods lie in more files, and in how many at the most. None may be added, and
/// none may grow.
const SPREAD: &[(&str, &str, usize)] = &[
    ("backends/cassandra", "Shard", 20),
    ("backends/cassandra", "Inner", 12),
    ("backends/cassandra", "CassandraStore", 6),
    ("backends/memory", "Queue", 9),
    ("backends/redis", "RedisStore", 21),
];

fn shipped() -> Vec<Source> {
    let all = rust_sources().into_iter();
    let shipped = all.filter(|source| !source.is_for_tests());
    shipped
        .map(|source| Source {
            text: without_tests(&source.text).to_owned(),
            ..source
        })
        .collect()
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[test]
fn no_folder_has_too_many_files() {
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for source in rust_sources() {
        *files.entry(folder(&source.path).to_owned()).or_default() += 1;
    }
    let crowded: Vec<_> = files.iter().filter(|(_, n)| **n > FILES_MAX).collect();
    assert!(crowded.is_empty(), "group them by topic: {crowded:?}");
}

#[test]
fn no_shipped_file_is_long() {
    let long: Vec<_> = shipped()
        .iter()
        .map(|source| (source.text.lines().count(), source.path.clone()))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "two concepts are two files: {long:?}");
}

/// The lines of each function with a body.
fn functions(source: &Source) -> Vec<usize> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut found = Vec::new();
    for (begin, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words: Vec<_> = code.split([' ', '(', '<']).take(6).collect();
        if code.starts_with("//") || !words.contains(&"fn") || code.ends_with(';') {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let ends = |line: &&str| {
            let rest = line.strip_prefix(indent);
            rest.is_some_and(|rest| {
                rest.starts_with('}') || (rest.starts_with(')') && rest.ends_with(';'))
            })
        };
        let length = lines[begin + 1..].iter().position(ends);
        found.extend(length.map(|length| length + 2));
    }
    found
}

#[test]
fn functions_are_short() {
    let mut lengths: Vec<_> = shipped().iter().flat_map(functions).collect();
    lengths.sort_unstable();
    let p99 = lengths[lengths.len() * 99 / 100];
    assert!(
        p99 <= FUNCTION_P99,
        "one function in a hundred has more than {p99} lines"
    );
}

/// In how many files each type of a crate has methods of its own.
fn spread() -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut found: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for source in shipped() {
        let Some((krate, _)) = source.path.split_once("/src/") else {
            continue;
        };
        for line in without_comments(&source.text).lines() {
            let Some(rest) = line.strip_prefix("impl") else {
                continue;
            };
            let rest = rest.trim_start();
            let rest = rest.split_once("> ").map_or(rest, |(generics, after)| {
                if generics.starts_with('<') {
                    after
                } else {
                    rest
                }
            });
            if rest.contains(" for ") {
                continue;
            }
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            let files = found.entry((krate.to_owned(), name)).or_default();
            files.insert(source.path.clone());
        }
    }
    found
}

#[test]
fn the_methods_of_a_type_lie_in_few_files() {
    let mut far = Vec::new();
    for ((krate, name), files) in spread() {
        let known = SPREAD
            .iter()
            .find(|(at, of, _)| *at == krate && *of == name);
        let most = known.map_or(IMPL_FILES_MAX, |(_, _, most)| *most);
        if files.len() > most {
            far.push(format!("{krate}: {name} in {} files", files.len()));
        }
    }
    assert!(
        far.is_empty(),
        "give each folder a type of its own: {far:?}"
    );
}

#[test]
fn no_exception_is_larger_than_it_must_be() {
    let spread = spread();
    for (krate, name, most) in SPREAD {
        let files = spread.get(&((*krate).to_owned(), (*name).to_owned()));
        let now = files.map_or(0, BTreeSet::len);
        assert!(
            now > IMPL_FILES_MAX,
            "{krate}: {name}: take it off the list"
        );
        assert_eq!(now, *most, "{krate}: {name}: correct the list");
    }
}

#[test]
fn no_module_is_named_by_a_path() {
    let mark = ["#[", "path = "].concat();
    let named: Vec<_> = rust_sources()
        .into_iter()
        .filter(|source| source.text.contains(&mark))
        .map(|source| source.path)
        .collect();
    assert!(named.is_empty(), "{named:?}");
}
