//! Small phrases: counts, ages, previews of bodies.

use std::time::Duration;

use super::escape;

/// `1 message`, `2 messages`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

/// A span in its two greatest units: `340ms`, `12s`, `3m 20s`, `2d 4h`.
pub(crate) fn age(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds) {
        (0, 0, 0, 0) => format!("{}ms", span.as_millis()),
        (0, 0, 0, _) => format!("{seconds}s"),
        (0, 0, _, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// The start of a body in one line; how many bytes it has where it is no text.
pub(crate) fn body_preview(body: &[u8], max: usize) -> String {
    match std::str::from_utf8(body) {
        Ok(text) => escape::cut(text, max),
        Err(_) => format!("({} bytes that are no text)", body.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        let shown = |millis| age(Duration::from_millis(millis));
        assert_eq!(shown(340), "340ms");
        assert_eq!(shown(12_300), "12s");
        assert_eq!(shown(200_000), "3m 20s");
        assert_eq!(shown(7_500_000), "2h 5m");
        assert_eq!(shown(187_200_000), "2d 4h");
    }

    #[test]
    fn counts_and_previews() {
        assert_eq!(counted(1, "message"), "1 message");
        assert_eq!(counted(0, "message"), "0 messages");
        assert_eq!(body_preview(b"a\nb", 10), "a\\nb");
        assert_eq!(body_preview(&[0xff, 0], 10), "(2 bytes that are no text)");
    }
}
