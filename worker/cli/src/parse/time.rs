//! Points in time: RFC 3339 in, RFC 3339 UTC with milliseconds out.

use longshore::core::Timestamp;

use crate::output::escape;

/// Reads a point in time with a zone: `2026-12-24T18:00:00Z`, `…+01:00`, `…[Europe/Berlin]`.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let shown = escape::cut(text, 60);
    let bare = text.trim();
    let read = bare
        .parse::<jiff::Zoned>()
        .map(|zoned| zoned.timestamp())
        .or_else(|_| bare.parse::<jiff::Timestamp>());
    let millis = match read {
        Ok(at) => at.as_millisecond(),
        Err(_) if bare.parse::<jiff::civil::DateTime>().is_ok() => {
            return Err(format!(
                "\"{shown}\" has no zone; write Z for UTC or an offset, such as 2026-12-24T18:00:00Z"
            ));
        }
        Err(_) => {
            return Err(format!(
                "\"{shown}\" is not a time; write it as 2026-12-24T18:00:00Z"
            ));
        }
    };
    if !(Timestamp::EPOCH.as_millis()..=Timestamp::MAX.as_millis()).contains(&millis) {
        return Err(format!(
            "\"{shown}\" is out of range; a time lies between the years 1970 and 9999"
        ));
    }
    Ok(Timestamp::from_millis(millis))
}

/// The time as RFC 3339 in UTC with milliseconds.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    // By the calendar and not as a `jiff::Timestamp`, which ends a day before the year 9999 does.
    let epoch = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let shown = epoch.saturating_add(jiff::SignedDuration::from_millis(at.as_millis()));
    format!("{shown:.3}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_printed_in_utc() {
        let noon = time("2026-12-24T12:00:00Z").unwrap();
        assert_eq!(rfc3339(noon), "2026-12-24T12:00:00.000Z");
        assert_eq!(time("2026-12-24T13:00:00+01:00"), Ok(noon));
        assert_eq!(time("2026-12-24T13:00:00+01:00[Europe/Berlin]"), Ok(noon));
        assert_eq!(rfc3339(Timestamp::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(Timestamp::EPOCH), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn other_texts_get_a_sentence() {
        let table = [
            ("2026-12-24T12:00:00", "no zone"),
            ("tomorrow", "not a time"),
            ("", "not a time"),
            ("2026-13-01T00:00:00Z", "not a time"),
            ("1969-12-31T00:00:00Z", "out of range"),
        ];
        for (text, expected) in table {
            let error = time(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
