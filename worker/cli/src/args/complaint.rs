//! What clap says about a wrong command line, in one sentence.

use std::error::Error as _;
use std::ffi::OsString;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;
use crate::output::escape;

/// What clap says echoes the command line, which may be of any length.
const SENTENCE_MAX: usize = 500;

/// The sentence for a refused command line: what is wrong, the nearest right word, where to look.
/// `verb` is as far as the command line was understood.
pub(crate) fn complaint(error: &clap::Error, verb: &str) -> String {
    let sentence = match (error.kind(), error.source()) {
        // Our own parsers say it all: the value, what is wrong with it, what would be right.
        (ErrorKind::ValueValidation, Some(source)) => format!("{}: {source}", argument(error)),
        (ErrorKind::InvalidSubcommand, _) if fate(error).is_some() => {
            let fate = fate(error).unwrap_or_default();
            format!(
                "there is no verb '{fate}'; a delivery ends by `longshore settle {fate} RECEIPT`"
            )
        }
        _ => rendered(error),
    };
    let sentence = escape::cut(&sentence, SENTENCE_MAX);
    format!("{sentence}; see `{verb} --help`")
}

/// The way to end a delivery that stands where a verb should.
fn fate(error: &clap::Error) -> Option<&str> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let fates = ["ack", "retry", "release", "dead-letter"];
    fates.contains(&word.as_str()).then_some(word.as_str())
}

/// The option or argument that was refused, without the name of its value.
fn argument(error: &clap::Error) -> String {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(shown)) => {
            let name = shown.split(' ').next().unwrap_or(shown);
            let name = name.trim_end_matches("...");
            name.trim_matches(['<', '>', '[', ']']).to_owned()
        }
        _ => "the value".to_owned(),
    }
}

/// What clap prints, up to its usage line, in one line.
fn rendered(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        // How to give a value that looks like an option is no help to who misspelt an option.
        .filter(|line| !line.is_empty() && !line.contains("as a value, use"));
    let parts: Vec<&str> = lines
        .map(|line| line.strip_prefix("error: ").unwrap_or(line))
        .map(|line| line.strip_prefix("tip: ").unwrap_or(line))
        .collect();
    join(&parts)
}

/// The first part as it is; what follows a colon goes on, anything else is a new clause.
fn join(parts: &[&str]) -> String {
    let mut sentence = String::new();
    for part in parts {
        if !sentence.is_empty() {
            sentence += if sentence.ends_with(':') { " " } else { "; " };
        }
        sentence += part.trim_end_matches('.');
    }
    sentence
}

/// The verb that a command line names, as far as its words are verbs: `longshore dead list`.
pub(crate) fn verb_of(args: &[OsString]) -> String {
    let cli = Cli::command();
    let mut at = &cli;
    let mut verb = String::from("longshore");
    for word in args.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(next) = at.find_subcommand(word) {
            verb = format!("{verb} {word}");
            at = next;
        }
    }
    verb
}
