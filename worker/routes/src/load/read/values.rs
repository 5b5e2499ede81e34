//! Spans of time and sizes as people write them.

use std::time::Duration;

/// A span with its unit: `30s`, `1h 30m`, `1d` (24 hours), `PT30S`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let trimmed = text.trim();
    if !trimmed.is_empty() && trimmed.parse::<f64>().is_ok() {
        return Err(format!(
            "{} has no unit; write {trimmed}s or {trimmed}ms",
            shown(text)
        ));
    }
    let wrong = || {
        format!(
            "{} is not a span of time; write it like 500ms, 30s, 10m or 1d",
            shown(text)
        )
    };
    let parsed: jiff::Span = trimmed.parse().map_err(|_| wrong())?;
    if parsed.is_negative() {
        return Err(format!("{} is negative", shown(text)));
    }
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = parsed.to_duration(day).map_err(|_| wrong())?;
    Duration::try_from(duration).map_err(|_| wrong())
}

/// A size with or without a unit: `65536`, `64KiB`, `1MB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let digits = trimmed.len()
        - trimmed
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .len();
    let (number, unit) = trimmed.split_at(digits);
    let factor = match unit.trim() {
        "" | "B" => Some(1),
        "kB" | "KB" => Some(1000),
        "MB" => Some(1_000_000),
        "KiB" => Some(1024),
        "MiB" => Some(1024 * 1024),
        _ => None,
    };
    number
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .ok_or_else(|| {
            format!(
                "{} is not a size; write it like 65536, 64KiB or 1MB",
                shown(text)
            )
        })
}

/// A span as people write it.
pub(crate) fn shown_span(span: Duration) -> String {
    let millis = span.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
    ];
    if millis == 0 {
        return "0s".into();
    }
    let unit = units.iter().find(|(size, _)| millis.is_multiple_of(*size));
    unit.map_or_else(
        || format!("{millis}ms"),
        |(size, name)| format!("{}{name}", millis / size),
    )
}

/// About how long a span is: its two greatest units, such as `27m 2s`.
pub(crate) fn shown_roughly(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let Some(greatest) = units.iter().position(|(size, _)| seconds >= *size) else {
        return shown_span(span);
    };
    if greatest == 3 {
        let tenths = (span.as_millis() + 50) / 100;
        return if tenths.is_multiple_of(10) {
            format!("{}s", tenths / 10)
        } else {
            format!("{}.{}s", tenths / 10, tenths % 10)
        };
    }
    let (size, name) = units[greatest];
    let (next, next_name) = units[greatest + 1];
    match (seconds % size) / next {
        0 => format!("{}{name}", seconds / size),
        rest => format!("{}{name} {rest}{next_name}", seconds / size),
    }
}

/// Input for an error: quoted, escaped and cut at 80 characters.
pub(crate) fn shown(text: &str) -> String {
    let mut kept: String = text.chars().take(80).flat_map(escaped).collect();
    if text.chars().nth(80).is_some() {
        kept.push('…');
    }
    format!("\"{kept}\"")
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let plain = (c == '\'').then_some(c);
    let escape = (c != '\'').then(|| c.escape_debug());
    plain.into_iter().chain(escape.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_need_a_unit_and_a_sign_is_refused() {
        let seconds = |n| Ok(Duration::from_secs(n));
        assert_eq!(span("30s"), seconds(30));
        assert_eq!(span("1h 30m"), seconds(5400));
        assert_eq!(span("1d"), seconds(86_400));
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(span("0s"), seconds(0));
        for bad in [
            "",
            "5",
            "1.5",
            "5 parsecs",
            "-5s",
            "1e999s",
            "s",
            "1mo",
            "NaN",
        ] {
            assert!(span(bad).is_err(), "{bad}: {:?}", span(bad));
        }
        assert!(span("5").unwrap_err().contains("has no unit"));
        assert!(span("-5s").unwrap_err().contains("negative"));
    }

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("1 MB"), Ok(1_000_000));
        assert_eq!(size("12"), Ok(12));
        for bad in [
            "",
            "KiB",
            "-1",
            "1.5MiB",
            "1GiB!",
            "99999999999999999999",
            "99999999999999999MiB",
        ] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_are_shown_in_their_greatest_whole_unit() {
        assert_eq!(shown_span(Duration::from_millis(1500)), "1500ms");
        assert_eq!(shown_span(Duration::from_secs(90)), "90s");
        assert_eq!(shown_span(Duration::from_secs(120)), "2m");
        assert_eq!(shown_span(Duration::ZERO), "0s");
        let roughly = |millis| shown_roughly(Duration::from_millis(millis));
        assert_eq!(roughly(600), "600ms");
        assert_eq!(roughly(1440), "1.4s");
        assert_eq!(roughly(6000), "6s");
        assert_eq!(roughly(1_622_000), "27m 2s");
        assert_eq!(roughly(7_200_000), "2h");
        assert_eq!(roughly(90_061_000), "1d 1h");
    }
}
