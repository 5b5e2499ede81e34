//! The filters and tests that a template names.

use longshore_core::nearest;
use minijinja::{Environment, ErrorKind, Value};

use crate::load::read::shown;

/// Filters to suggest. What exists the engine says.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "default",
    "dictsort",
    "escape",
    "first",
    "float",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
];
/// Tests to suggest.
const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "even",
    "false",
    "float",
    "in",
    "integer",
    "iterable",
    "lower",
    "mapping",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// A part of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Text(&'a str),
    Sign(char),
}

/// The first filter or test of a template that does not exist, in words. The engine itself
/// looks for them only when it comes to them.
pub(super) fn unknown(source: &str, environment: &Environment<'_>) -> Option<String> {
    tags(source)
        .iter()
        .find_map(|tag| unknown_in(tag, environment))
}

fn unknown_in(tag: &[Token<'_>], environment: &Environment<'_>) -> Option<String> {
    if let [Token::Name("filter"), Token::Name(name), ..] = tag
        && let Some(reason) = no_filter(name, environment)
    {
        return Some(reason);
    }
    (0..tag.len()).find_map(|at| match &tag[at..] {
        [Token::Sign('|'), Token::Name(name), rest @ ..] => {
            no_filter(name, environment).or_else(|| match (*name, rest) {
                ("map", [Token::Sign('('), Token::Text(name), ..]) => no_filter(name, environment),
                ("select" | "reject", [Token::Sign('('), Token::Text(name), ..]) => {
                    no_test(name, environment)
                }
                _ => None,
            })
        }
        // Behind a dot it is the name of a value.
        [Token::Name("is"), ..] if at > 0 && tag[at - 1] == Token::Sign('.') => None,
        [Token::Name("is"), Token::Name("not"), Token::Name(name), ..]
        | [Token::Name("is"), Token::Name(name), ..] => no_test(name, environment),
        _ => None,
    })
}

fn no_filter(name: &str, environment: &Environment<'_>) -> Option<String> {
    let tried = environment
        .empty_state()
        .apply_filter(name, &[Value::from("")]);
    let is_unknown = tried.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter);
    is_unknown.then(|| sentence("filter", name, FILTERS))
}

fn no_test(name: &str, environment: &Environment<'_>) -> Option<String> {
    let tried = environment
        .empty_state()
        .perform_test(name, &[Value::from("")]);
    let is_unknown = tried.is_err_and(|error| error.kind() == ErrorKind::UnknownTest);
    is_unknown.then(|| sentence("test", name, TESTS))
}

fn sentence(what: &str, name: &str, known: &[&str]) -> String {
    let hint = nearest(name, known.iter().copied())
        .map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("there is no {what} {}{hint}", shown(name))
}

/// The tokens of each tag; comments and raw blocks have none.
fn tags(source: &str) -> Vec<Vec<Token<'_>>> {
    let mut tags = Vec::new();
    let mut rest = source;
    while let Some(start) = rest.find('{') {
        rest = &rest[start + 1..];
        let end = match rest.chars().next() {
            Some('#') => {
                rest = rest.find("#}").map_or("", |end| &rest[end + 2..]);
                continue;
            }
            Some('{') => '}',
            Some('%') => '%',
            _ => continue,
        };
        let (tag, behind) = tag(&rest[1..], end);
        let is_raw = end == '%' && tag.first() == Some(&Token::Name("raw"));
        rest = if is_raw {
            behind.find("endraw").map_or("", |end| &behind[end..])
        } else {
            behind
        };
        tags.push(tag);
    }
    tags
}

/// The tokens up to the end of a tag, and what stands behind.
fn tag(source: &str, end: char) -> (Vec<Token<'_>>, &str) {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut depth = 0_u32;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        let width = match c {
            '"' | '\'' => quoted(behind, c),
            c if c.is_alphabetic() || c == '_' => rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        match c {
            '"' | '\'' => tokens.push(Token::Text(&behind[..width])),
            c if c.is_alphabetic() || c == '_' => tokens.push(Token::Name(&rest[..width])),
            c if c == end && depth == 0 && behind.starts_with('}') => {
                return (tokens, &behind[1..]);
            }
            // The marks of trimmed white space belong to the tag.
            '-' | '+' if tokens.is_empty() => {}
            c if c.is_whitespace() => {}
            c => {
                depth = match c {
                    '{' => depth + 1,
                    '}' => depth.saturating_sub(1),
                    _ => depth,
                };
                tokens.push(Token::Sign(c));
            }
        }
        rest = match c {
            '"' | '\'' => behind.get(width + 1..).unwrap_or_default(),
            _ => &rest[width..],
        };
    }
    (tokens, "")
}

/// How long a text is that ends with this quote.
fn quoted(source: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in source.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at,
            _ => {}
        }
    }
    source.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Flavour;

    fn told(source: &str) -> Option<String> {
        unknown(source, &Flavour::Plain.environment())
    }

    #[test]
    fn filters_and_tests_that_do_not_exist_are_found_wherever_they_stand() {
        let rows = [
            ("{{ id | nofilter }}", "there is no filter \"nofilter\""),
            (
                "{{ id|uper }}",
                "there is no filter \"uper\"; did you mean upper?",
            ),
            (
                "{%- if body.x is definde %}x{% endif %}",
                "there is no test \"definde\"; did you mean defined?",
            ),
            ("{{ id is not zzyyxx }}", "there is no test \"zzyyxx\""),
            (
                "{% filter zzyyxx %}x{% endfilter %}",
                "there is no filter \"zzyyxx\"",
            ),
            (
                "{% if false %}{{ \"}}\" | lower | zzyyxx }}{% endif %}",
                "there is no filter \"zzyyxx\"",
            ),
            (
                "{{ {'a': {'b': 1}} | zzyyxx }}",
                "there is no filter \"zzyyxx\"",
            ),
            (
                "{{ body | map('zzyyxx') }}",
                "there is no filter \"zzyyxx\"",
            ),
            (
                "{{ body | select('zzyyxx') }}",
                "there is no test \"zzyyxx\"",
            ),
        ];
        for (source, expected) in rows {
            assert_eq!(told(source).as_deref(), Some(expected), "{source}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for source in [
            "{{ headers.x | default('a | zzyyxx') | upper }}",
            "{{ body.is.zzyyxx }}{{ body is defined and id is not none }}",
            "{# {{ id | zzyyxx }} #}{% raw %}{{ id | zzyyxx }}{% endraw %}{{ id | trim }}",
            "a | zzyyxx { b | zzyyxx }",
            "{{ body | map('upper') | join('\\' | zzyyxx') }}",
        ] {
            assert_eq!(told(source), None, "{source}");
        }
    }

    #[test]
    fn every_suggestion_exists() {
        let environment = Flavour::Plain.environment();
        for name in FILTERS {
            assert_eq!(no_filter(name, &environment), None, "{name}");
        }
        for name in TESTS {
            assert_eq!(no_test(name, &environment), None, "{name}");
        }
    }
}
