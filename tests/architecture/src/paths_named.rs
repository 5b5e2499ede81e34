//! The paths that Rust text names: each item of its `use` declarations, and the paths in its code.

/// Every path with at least two parts, and every item of a `use`, with the name it gets there.
/// `use a::{b, c::D as E}` is `a::b` called `b`, and `a::c::D` called `E`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its parts; a glob ends in `*`.
    pub path: Vec<String>,
    /// What a `use` calls it; nothing for a path in the code.
    pub called: Option<String>,
}

/// The paths that a text without comments names, in their order.
pub fn paths_named(text: &str) -> Vec<Named> {
    let words = words(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if words[at] == "use" {
            at = imports(&words, at + 1, &mut Vec::new(), &mut found);
            continue;
        }
        let mut path = Vec::new();
        let is_start = at == 0 || words[at - 1] != "::";
        while is_start && is_name(words[at]) {
            path.push(words[at].to_owned());
            if words.get(at + 1) != Some(&"::") || !words.get(at + 2).is_some_and(|w| is_name(w)) {
                break;
            }
            at += 2;
        }
        if path.len() > 1 {
            found.push(Named { path, called: None });
        }
        at += 1;
    }
    found
}

/// Reads one tree of a `use` below `before`; answers where it ends.
fn imports(
    words: &[&str],
    mut at: usize,
    before: &mut Vec<String>,
    found: &mut Vec<Named>,
) -> usize {
    let depth = before.len();
    while let Some(&word) = words.get(at) {
        match word {
            "{" => {
                at += 1;
                // A text that only looks like a `use` may end in the middle of its braces.
                while words
                    .get(at)
                    .is_some_and(|&word| word != "}" && word != ";")
                {
                    at = imports(words, at, before, found);
                    at += usize::from(words.get(at) == Some(&","));
                }
                before.truncate(depth);
                return at + 1;
            }
            "::" => at += 1,
            "," | "}" | ";" => break,
            "as" => {
                let called = words.get(at + 1).map(|&name| name.to_owned());
                found.push(Named {
                    path: before.clone(),
                    called,
                });
                before.truncate(depth);
                return at + 2;
            }
            name => {
                before.push(name.to_owned());
                at += 1;
            }
        }
    }
    if before.len() > depth {
        let mut path = before.clone();
        // `a::{self}` is `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let called = path.last().cloned();
        found.push(Named { path, called });
        before.truncate(depth);
    }
    at
}

fn is_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// Names, `::` and single marks; what stands in strings is left out.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let length = if letter.is_alphanumeric() || letter == '_' {
            let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
            rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else if rest.starts_with("'\"'") {
            rest = &rest[3..];
            continue;
        } else if letter == '"' {
            rest = after_string(rest);
            continue;
        } else {
            letter.len_utf8()
        };
        if !letter.is_whitespace() {
            words.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    words
}

/// What follows a string that begins here.
fn after_string(text: &str) -> &str {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if letter == '"' && !escaped {
            return &text[at + 1..];
        }
        escaped = letter == '\\' && !escaped;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let named = paths_named(text).into_iter();
        named
            .map(|named| {
                let called = named.called.map(|name| format!(" = {name}"));
                named.path.join("::") + &called.unwrap_or_default()
            })
            .collect()
    }

    #[test]
    fn trees_of_imports_are_taken_apart() {
        assert_eq!(
            shown("pub(crate) use a::{b, c::{D as E, self}, f::*};\nuse g;"),
            [
                "a::b = b",
                "a::c::D = E",
                "a::c = c",
                "a::f::* = *",
                "g = g"
            ]
        );
    }

    #[test]
    fn paths_in_code_are_found_and_those_in_strings_are_not() {
        assert_eq!(
            shown(r#"fn f(a: super::A) { crate::b::c(); say("x::y \" z::q"); w::<B>() }"#),
            ["super::A", "crate::b::c"]
        );
    }
}
