//! What makes two errors alike.

/// The error without what differs from message to message: ids and numbers become `#`.
pub(super) fn fingerprint(error: &str) -> String {
    let mut print = String::with_capacity(error.len());
    let mut word = String::new();
    for c in error.chars() {
        if c.is_ascii_alphanumeric() || (c == '-' && !word.is_empty()) {
            word.push(c);
        } else {
            push(&mut print, &word);
            word.clear();
            print.push(c);
        }
    }
    push(&mut print, &word);
    print
}

/// A word that is an id is replaced whole, in any other its runs of digits are.
fn push(print: &mut String, word: &str) {
    let is_hex = |part: &str| part.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let has_digit = word.contains(|c: char| c.is_ascii_digit());
    let bare = word.strip_prefix("0x").unwrap_or(word);
    if bare.len() >= 8 && has_digit && is_hex(bare) {
        print.push('#');
        return;
    }
    let mut in_number = false;
    for c in word.chars() {
        let digit = c.is_ascii_digit();
        if digit && !in_number {
            print.push('#');
        } else if !digit {
            print.push(c);
        }
        in_number = digit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ids_do_not_matter() {
        let alike = [
            (
                "order 17 of 018f3c7a-5b2e-7d11-9a3b-0123456789ab: timeout after 30s",
                "order 4711 of 018f3c7a-5b2e-8733-8142-93d0c0e5632d: timeout after 5s",
            ),
            ("line 1: bad", "line 22: bad"),
            ("at 0xdeadbeef99", "at 0xabc12345"),
        ];
        for (one, other) in alike {
            assert_eq!(fingerprint(one), fingerprint(other));
        }
        assert_ne!(fingerprint("no such user"), fingerprint("no such file"));
        assert_eq!(fingerprint("no digits at-all"), "no digits at-all");
        assert_eq!(fingerprint(""), "");
    }
}
