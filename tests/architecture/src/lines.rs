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
    let mut starts = text.match_indices("#[cfg(test)]\n");
    let module = starts.find(|(start, mark)| {
        let item = without_visibility(&text[start + mark.len()..]);
        item.starts_with("mod ") && item.lines().next().is_some_and(|line| line.ends_with('{'))
    });
    module.map_or(text, |(start, _)| &text[..start])
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
        let item = without_visibility(code);
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

/// An item without `pub`, `pub(crate)`, `pub(super)` and the like.
fn without_visibility(code: &str) -> &str {
    let Some(rest) = code.strip_prefix("pub") else {
        return code;
    };
    let restricted = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    restricted.map_or(rest, |(_, rest)| rest).trim_start()
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
        for module in ["mod tests {\n", "pub(crate) mod tests {\n"] {
            assert_eq!(
                without_tests(&format!("a\n#[cfg(test)]\n{module}}}\n")),
                "a\n"
            );
        }
        let elsewhere = "a\n#[cfg(test)]\nmod tests;\nfn b() {}\n";
        assert_eq!(without_tests(elsewhere), elsewhere);
        assert_eq!(
            without_tests("a\n#[cfg(test)]\nfn b() {}\n"),
            "a\n#[cfg(test)]\nfn b() {}\n"
        );
    }

    #[test]
    fn declarations_are_no_logic() {
        let text = "//! Doc.\n#![warn(\n    x\n)]\nmod a;\npub mod b;\npub(super) use b::C;\npub(in crate::d) mod e;\npub use a::{\n    B,\n};\n";
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
