//! Spans of time with a unit: `30s`, `5m`, `1h 30m`, `PT30S`.

use std::str::FromStr;
use std::time::Duration;

use jiff::SpanRelativeTo;

use crate::output::escape;

/// No option takes a longer span: a due time further away is told with `--at`.
const SPAN_MAX: Duration = Duration::from_secs(366 * 86_400);
/// The longest lease: beyond it a crash would strand a message for longer than a night.
const LEASE_MAX: Duration = Duration::from_secs(12 * 3_600);
/// The longest wait of one receive.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// Reads a span from zero to a year.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let shown = escape::cut(text, 40);
    let bare = text.trim();
    if bare.parse::<f64>().is_ok() {
        return Err(format!(
            "\"{shown}\" is not a duration; give it a unit, such as 30s, 5m or \"1h 30m\""
        ));
    }
    let read = bare
        .parse::<jiff::Span>()
        .ok()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok())
        .ok_or_else(|| {
            if is_too_large(bare) {
                return too_long(&shown);
            }
            format!("\"{shown}\" is not a duration; write it as 30s, 5m, \"1h 30m\" or 2d")
        })?;
    if read.is_negative() {
        return Err(format!("\"{shown}\" is negative; a duration starts at 0s"));
    }
    let span = read.unsigned_abs();
    if span > SPAN_MAX {
        return Err(too_long(&shown));
    }
    Ok(span)
}

fn too_long(shown: &str) -> String {
    format!("\"{shown}\" is too long; at most 366d are allowed")
}

/// Whether it would be a duration if only its numbers were smaller.
fn is_too_large(text: &str) -> bool {
    let mut small = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii_digit() {
            small.push(c);
        } else if !small.ends_with('1') {
            small.push('1');
        }
    }
    small.len() < text.len() && !small.contains('-') && span(&small).is_ok()
}

/// Any span, zero included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        span(text).map(Self)
    }
}

/// How long a lease lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease(pub(crate) Duration);

impl FromStr for Lease {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        between(
            text,
            Duration::from_secs(1),
            LEASE_MAX,
            "a lease lasts 1s to 12h",
        )
        .map(Self)
    }
}

/// How long to wait for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Duration);

impl FromStr for Wait {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        between(text, Duration::ZERO, WAIT_MAX, "a wait lasts 0s to 1h").map(Self)
    }
}

fn between(text: &str, min: Duration, max: Duration, rule: &str) -> Result<Duration, String> {
    let span = span(text)?;
    if (min..=max).contains(&span) {
        return Ok(span);
    }
    Err(format!(
        "\"{}\" is out of range; {rule}",
        escape::cut(text, 40)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_with_units_are_read() {
        let table = [
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("PT30S", 30_000),
            ("1d", 86_400_000),
            ("366d", 366 * 86_400_000),
        ];
        for (text, millis) in table {
            assert_eq!(span(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn bare_negative_and_absurd_spans_get_a_sentence() {
        let table = [
            ("5", "give it a unit"),
            ("0", "give it a unit"),
            ("-5", "give it a unit"),
            ("NaN", "give it a unit"),
            ("1e999", "give it a unit"),
            ("-5s", "negative"),
            ("367d", "too long"),
            ("10y", "not a duration"),
            ("99999999999999999999s", "too long"),
            ("1h 99999999999999999999d", "not a duration"),
            ("1d 99999999999999999999h", "too long"),
            ("", "not a duration"),
            ("soon", "not a duration"),
            ("1e999s", "not a duration"),
        ];
        for (text, expected) in table {
            let error = span(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!("500ms".parse::<Lease>().is_err());
        assert!("13h".parse::<Lease>().is_err());
        assert!("2h".parse::<Wait>().is_err());
    }
}
