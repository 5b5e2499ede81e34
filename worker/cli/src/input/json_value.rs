//! What stands at a key of a line of `--jsonl`, and what is wrong with it in words.

use std::borrow::Cow;

use longshore::core::nearest;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::output::escape;

/// What a key holds, read as its option on the command line is.
pub(crate) fn key<T>(
    key: &str,
    raw: Option<&RawValue>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    raw.map(|raw| {
        parse(&text(key, raw)?).map_err(|error| {
            // What is wrong with a name says which name it is.
            if error.starts_with(&key.replace('_', " ")) {
                return error;
            }
            format!("{key}: {error}")
        })
    })
    .transpose()
}

/// The string that a key holds.
pub(crate) fn text<'a>(key: &str, raw: &'a RawValue) -> Result<Cow<'a, str>, String> {
    serde_json::from_str::<Text<'a>>(raw.get())
        .map(|text| text.0)
        .map_err(|error| {
            if raw.get().starts_with('"') {
                return format!("{key}: {}", reworded(&error));
            }
            let shown = escape::cut(raw.get(), 40);
            format!("{key}: a string is wanted, not {shown}; write it in quotes")
        })
}

/// A string that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A JSON error with its column; the line is told by the caller that counts them.
pub(crate) fn reworded(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (what, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
    let what = match error.classify() {
        Category::Eof => "the line ends inside of the object".to_owned(),
        Category::Syntax | Category::Io => {
            let what = what.replace("expected ident", "an unknown word");
            format!("it is not JSON from there on: {what}")
        }
        Category::Data => wrong_field(what),
    };
    if error.column() == 0 {
        return what;
    }
    format!("column {}: {what}", error.column())
}

/// The nearest field instead of a list of all, where there is one.
fn wrong_field(what: &str) -> String {
    if let Some((name, _)) = quoted(what, "duplicate field `", "`") {
        return format!("\"{}\" is given twice", escape::cut(name, 40));
    }
    let Some((given, known)) = quoted(what, "unknown field `", "`, expected one of ") else {
        return what.to_owned();
    };
    let known: Vec<&str> = known
        .split(", ")
        .map(|name| name.trim_matches('`'))
        .collect();
    let hint = match nearest(given, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("known are {}", known.join(", ")),
    };
    format!("unknown field \"{}\"; {hint}", escape::cut(given, 40))
}

/// What stands between two marks, and what comes behind.
fn quoted<'a>(text: &'a str, start: &str, end: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(start)?.rsplit_once(end)
}
