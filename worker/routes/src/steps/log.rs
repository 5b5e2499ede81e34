//! Log steps.

use std::fmt;

use longshore_core::Failure;
use tracing::Level;

use crate::ConfigError;
use crate::load::read::{Document, Node};
use crate::steps::Input;
use crate::template::{Flavour, Template};

/// What filters of logs know the lines of log steps by.
const TARGET: &str = "longshore::log";

/// Logs a line with the route and the id of the message.
#[derive(Debug)]
pub(crate) struct LogStep {
    message: Template,
    level: Level,
}

impl LogStep {
    pub(super) fn of(document: &Document, node: &Node) -> Result<Self, ConfigError> {
        let message = node.get("message").unwrap_or(node);
        Ok(Self {
            message: Template::of(document, message, Flavour::Plain)?,
            level: match node.text("level") {
                Some("error") => Level::ERROR,
                Some("warn") => Level::WARN,
                Some("debug") => Level::DEBUG,
                Some("trace") => Level::TRACE,
                _ => Level::INFO,
            },
        })
    }

    pub(super) fn run(&self, input: &Input<'_>) -> Result<(), Failure> {
        let text = self.message.render(&input.data)?;
        // Values come from outside: a line break or an escape sequence must not forge a line.
        let line: String = text.chars().flat_map(escaped).collect();
        let (route, id) = (input.route, input.data.message.id);
        match self.level {
            Level::ERROR => tracing::error!(target: TARGET, %route, %id, "{line}"),
            Level::WARN => tracing::warn!(target: TARGET, %route, %id, "{line}"),
            Level::INFO => tracing::info!(target: TARGET, %route, %id, "{line}"),
            Level::DEBUG => tracing::debug!(target: TARGET, %route, %id, "{line}"),
            Level::TRACE => tracing::trace!(target: TARGET, %route, %id, "{line}"),
        }
        Ok(())
    }
}

/// The character, or how it is written where it could forge a line.
pub(super) fn escaped(c: char) -> impl Iterator<Item = char> {
    let plain = (!c.is_control()).then_some(c);
    let escape = c.is_control().then(|| c.escape_default());
    plain.into_iter().chain(escape.into_iter().flatten())
}

impl fmt::Display for LogStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log {}", self.message.written())
    }
}
