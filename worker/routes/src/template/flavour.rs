//! How values are written into a text, depending on what the text is.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a template's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Plain text: a value stands as it is.
    Plain,
    /// A URL: each value is percent-encoded.
    Url,
    /// A path: each value is one segment, or part of one.
    Path,
}

/// What RFC 3986 calls unreserved stays as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Bounds the work and the output of one rendering: about this many instructions, or 64 bytes
/// of data for each.
const FUEL: u64 = 500_000;

impl Flavour {
    /// An environment without templates.
    pub(super) fn environment(self) -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        match self {
            Self::Plain => environment.set_formatter(plain),
            Self::Url => environment.set_formatter(url),
            Self::Path => environment.set_formatter(path),
        }
        environment
    }
}

fn plain(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    write(out, &text(value)?)
}

fn url(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    write(
        out,
        &utf8_percent_encode(&text(value)?, ENCODED).to_string(),
    )
}

fn path(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = text(value)?;
    let refuse = |reason: &str| {
        let shown = crate::load::read::shown(&text);
        Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("the value {shown} {reason}"),
        ))
    };
    if text.is_empty() || text == "." || text == ".." {
        return refuse("is no segment of a path");
    }
    if text.contains(['/', '\\']) || text.chars().any(char::is_control) {
        return refuse("may not stand in a path: it holds a separator or a control character");
    }
    write(out, &text)
}

fn write(out: &mut Output<'_>, text: &str) -> Result<(), Error> {
    out.write_str(text)
        .map_err(|_| Error::new(ErrorKind::WriteFailure, "the text cannot be written"))
}

/// A value as text: null is nothing; true, false, tables and lists are as in JSON.
fn text(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::new(
            ErrorKind::UndefinedError,
            "a value is not there",
        )),
        ValueKind::None => Ok(String::new()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Map | ValueKind::Seq => serde_json::to_string(value).map_err(|error| {
            Error::new(ErrorKind::BadSerialization, "it has no form as JSON").with_source(error)
        }),
        _ => Ok(value.to_string()),
    }
}
