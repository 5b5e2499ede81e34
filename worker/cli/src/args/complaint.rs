//! What clap says about a wrong command line, in one sentence.

use clap::error::ErrorKind;

/// The sentence for a refused command line: what is wrong, the nearest right word, where to look.
pub(crate) fn complaint(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let mut parts = Vec::new();
    let mut verb = String::new();
    for line in rendered.lines() {
        let line = line.trim();
        if let Some(usage) = line.strip_prefix("Usage: ") {
            verb = verb_of(usage);
            break;
        }
        if line.is_empty() || line.starts_with("For more information") {
            continue;
        }
        let line = line.strip_prefix("error: ").unwrap_or(line);
        parts.push(line.strip_prefix("tip: ").unwrap_or(line).to_owned());
    }
    if error.kind() == ErrorKind::MissingSubcommand {
        parts.truncate(1);
    }
    let mut sentence = join(&parts);
    if sentence.ends_with(':') {
        sentence.pop();
    }
    format!("{sentence}; see `{verb} --help`")
}

/// The first part as it is; what follows a colon goes on, anything else is a new clause.
fn join(parts: &[String]) -> String {
    let mut sentence = String::new();
    for part in parts {
        if !sentence.is_empty() {
            sentence += if sentence.ends_with(':') { " " } else { "; " };
        }
        sentence += part.trim_end_matches('.');
    }
    sentence
}

/// The words of a usage line before its options: `longshore dead list`.
fn verb_of(usage: &str) -> String {
    let words = usage
        .split_whitespace()
        .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    let verb = words.collect::<Vec<_>>().join(" ");
    if verb.is_empty() {
        "longshore".into()
    } else {
        verb
    }
}
