//! Logs: to stderr, as loud as asked.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::args::{GlobalArgs, Verb};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::sink::LogLines;

/// The levels by name.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// How loud a verb is unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loudness {
    /// Only what needs a person: verbs that do one thing and end.
    Warnings,
    /// What happens: a worker that runs for days.
    Events,
}

impl Loudness {
    /// The loudness of a verb.
    pub(crate) fn of(verb: &Verb) -> Self {
        match verb {
            Verb::Run(args) if !args.until_idle => Self::Events,
            _ => Self::Warnings,
        }
    }
}

/// Sends logs to stderr. `-q` and `-v` win over `LONGSHORE_LOG`; `LONGSHORE_LOG_FORMAT=json`
/// prints one JSON object a line.
pub(crate) fn install(global: &GlobalArgs, loudness: Loudness) -> Result<()> {
    let filter = filter(global, loudness)?;
    let format = std::env::var("LONGSHORE_LOG_FORMAT").unwrap_or_default();
    let json = format == "json";
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || LogLines { json })
        // A line that cannot be written is counted by the sink; to complain of it on the same
        // stderr would panic.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    let installed = match format.as_str() {
        "" | "text" => builder.try_init(),
        "json" => builder.json().try_init(),
        other => {
            return Err(CliError::new(
                Exit::Misconfigured,
                format!("LONGSHORE_LOG_FORMAT={other:?} is not known; write text or json"),
            ));
        }
    };
    installed
        .map_err(|error| CliError::new(Exit::Failed, format!("logs cannot be started: {error}")))
}

fn filter(global: &GlobalArgs, loudness: Loudness) -> Result<EnvFilter> {
    // The driver of Cassandra warns of each node that is away, beside the error that says so.
    let level = match (global.quiet, global.verbose, loudness) {
        (true, _, _) => "error,scylla=off",
        // What log steps say is what their author wants to see.
        (_, 0, Loudness::Warnings) => "warn,scylla=off,longshore::log=info",
        (_, 0, Loudness::Events) | (_, 1, Loudness::Warnings) => "warn,scylla=off,longshore=info",
        (_, 1, Loudness::Events) | (_, 2, _) => "info,longshore=debug",
        (_, _, _) => "trace",
    };
    let told = global.quiet || global.verbose > 0;
    let wanted = std::env::var("LONGSHORE_LOG")
        .ok()
        .filter(|wanted| !told && !wanted.trim().is_empty());
    match wanted {
        None => Ok(EnvFilter::new(level)),
        Some(wanted) => named(&wanted),
    }
}

/// The filter of `LONGSHORE_LOG`.
fn named(wanted: &str) -> Result<EnvFilter> {
    let refused = |why: String| {
        let sentence = format!(
            "LONGSHORE_LOG={wanted:?} is not a filter ({why}); write a level such as info, or \
             targets such as longshore=debug"
        );
        CliError::new(Exit::Misconfigured, sentence)
    };
    // The filter takes a word that is no level for a target, and then silences all others.
    for word in wanted.split(',').map(str::trim) {
        let is_level = word.is_empty() || word.parse::<LevelFilter>().is_ok();
        if !is_level && !word.contains(['=', '[']) {
            let lower = word.to_ascii_lowercase();
            let begins = |level: &&str| lower.starts_with(*level) || level.starts_with(&*lower);
            let nearest = LEVELS.into_iter().find(begins);
            let nearest = nearest.or_else(|| longshore::core::nearest(&lower, LEVELS));
            let hint = nearest.map_or(String::new(), |level| format!(", did you mean {level:?}?"));
            return Err(refused(format!("{word:?} is no level{hint}")));
        }
    }
    EnvFilter::try_new(wanted).map_err(|error| refused(error.to_string()))
}
