//! Text of strangers made safe for a terminal.
//!
//! Names, errors and bodies come from the producers. Control characters could move the
//! cursor or forge lines, bidirectional ones could turn words around: both are shown as escapes.

use std::fmt::Write as _;

/// Whether a terminal must not get this character as it is.
pub(crate) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
        // Tags: letters that no terminal shows.
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// The text with its control characters as they are, and without other hostile ones.
pub(crate) fn invisible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) && !c.is_control() {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The text in one line without hostile characters.
pub(crate) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The text in one line, cut to `max` characters of the original.
pub(crate) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => line(&text[..end]) + "…",
        None => line(text),
    }
}

/// The text with its line breaks and tabs, and without other hostile characters.
pub(crate) fn lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) && c != '\n' && c != '\t' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A JSON document with the hostile characters that JSON allows as they are written as `\u…`.
/// They can only stand inside strings, where the two spellings mean the same.
pub(crate) fn json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    for c in document.chars() {
        if is_hostile(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_characters_never_reach_a_terminal() {
        let hostile = "a\u{1b}[31m\r\n\u{202e}b\u{9b}\u{7f}é";
        for shown in [line(hostile), cut(hostile, 80), lines(hostile)] {
            assert!(
                !shown.chars().any(|c| is_hostile(c) && c != '\n'),
                "{shown:?}"
            );
            assert!(shown.contains('é'));
        }
        assert!(!line(hostile).contains('\n'));
        assert_eq!(cut("abcdef", 3), "abc…");
        assert_eq!(cut("abc", 3), "abc");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = "x\u{202e}y\u{7f}\u{9b}";
        let document = serde_json::to_string(text).unwrap();
        let shown = json(&document);
        assert!(!shown.chars().any(is_hostile), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
