//! Rust text, seen line by line. No parser: the rules only need what a reader sees at a glance.

/// The text with everything behind `//` taken out, line by line; line numbers stay.
pub fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| code_of(line).to_owned() + "\n")
        .collect()
}

/// The text up to the first module that is only compiled for tests, which by the custom of this
/// code base is the last thing in a file.
pub fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ")
        .map_or(text, |start| &text[..start])
}

/// The lines of a file that neither declare nor re-export, with their numbers: what a `lib.rs`
/// must not have.
pub fn logic_lines(text: &str) -> Vec<(usize, String)> {
    let mut logic = Vec::new();
    let mut open_item = false;
    for (index, line) in text.lines().enumerate() {
        let code = code_of(line).trim();
        if code.is_empty() {
            continue;
        }
        if open_item {
            open_item = !(code.ends_with(';') || code.ends_with(']'));
            continue;
        }
        let is_attribute = code.starts_with("#[") || code.starts_with("#![");
        let item = code
            .trim_start_matches("pub ")
            .trim_start_matches("pub(crate) ");
        let is_declaration = item.starts_with("mod ") || item.starts_with("use ");
        if is_attribute {
            open_item = !code.ends_with(']');
        } else if is_declaration && !(item.starts_with("mod ") && code.ends_with('{')) {
            open_item = !code.ends_with(';');
        } else {
            logic.push((index + 1, line.to_owned()));
        }
    }
    logic
}

/// A line up to its comment. A `//` inside a string stays, as in a URL.
fn code_of(line: &str) -> &str {
    let mut in_string = false;
    let mut escaped = false;
    let mut previous = ' ';
    for (at, letter) in line.char_indices() {
        match letter {
            '"' if !escaped && previous != '\'' => in_string = !in_string,
            '/' if !in_string && previous == '/' => return &line[..at - 1],
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        previous = letter;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_urls_stay() {
        assert_eq!(code_of("let a = 1; // why"), "let a = 1; ");
        assert_eq!(code_of("/// Says it."), "");
        assert_eq!(
            code_of(r#"open("memory://x") // y"#),
            r#"open("memory://x") "#
        );
        assert_eq!(code_of(r#"say("\"//") // y"#), r#"say("\"//") "#);
    }

    #[test]
    fn tests_are_cut_off() {
        assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {}\n"), "a\n");
        assert_eq!(
            without_tests("a\n#[cfg(test)]\nfn b() {}\n"),
            "a\n#[cfg(test)]\nfn b() {}\n"
        );
    }

    #[test]
    fn declarations_are_no_logic() {
        let text = "//! Doc.\n#![warn(\n    x\n)]\nmod a;\npub mod b;\npub use a::{\n    B,\n};\n";
        assert_eq!(logic_lines(text), []);
    }

    #[test]
    fn functions_types_and_inline_modules_are_logic() {
        for text in [
            "fn a() {}",
            "pub struct A;",
            "pub mod a {",
            "const A: u8 = 1;",
            "x!{}",
        ] {
            assert_eq!(logic_lines(text), [(1, text.to_owned())]);
        }
    }
}
