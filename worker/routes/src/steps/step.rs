//! One step of a route.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use longshore_core::Failure;

use crate::load::read::{Document, Node};
use crate::model::mistakes::Mistakes;
use crate::steps::aggregate::AggregateStep;
use crate::steps::exec::ExecStep;
use crate::steps::file::FileStep;
use crate::steps::forward::ForwardStep;
use crate::steps::http::HttpStep;
use crate::steps::input::Input;
use crate::steps::log::LogStep;
use crate::template::{Flavour, Template};

/// A step and its condition.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) when: Option<Template>,
    pub(crate) action: Action,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Action {
    Exec(ExecStep),
    Http(HttpStep),
    Forward(ForwardStep),
    File(FileStep),
    Log(LogStep),
    Aggregate(AggregateStep),
}

impl Action {
    fn of(document: &Arc<Document>, name: &str, table: &Node) -> Result<Self, Mistakes> {
        Ok(match name {
            "exec" => Self::Exec(ExecStep::of(document, table)?),
            "http" => Self::Http(HttpStep::of(document, table)?),
            "forward" => Self::Forward(ForwardStep::of(document, table)?),
            "file" => Self::File(FileStep::of(document, table)?),
            "aggregate" => Self::Aggregate(AggregateStep::of(document, table)?),
            _ => Self::Log(LogStep::of(document, table)?),
        })
    }
}

const ACTIONS: &[&str] = &["exec", "http", "forward", "file", "log", "aggregate"];

impl Step {
    /// Reads a step: exactly one of the actions, and maybe a condition.
    pub(crate) fn of(document: &Arc<Document>, node: &Node) -> Result<Self, Mistakes> {
        let named: Vec<_> = ACTIONS
            .iter()
            .filter(|name| node.get(name).is_some())
            .collect();
        let (name, table) = match named[..] {
            [name] => (*name, node.get(name)),
            [] => {
                let message = format!(
                    "the step does nothing; it needs one of {}",
                    ACTIONS.join(", ")
                );
                return Err(document.error(&node.span, message).into());
            }
            [first, second, ..] => {
                let message = format!("a step does one thing, here are {first} and {second}");
                let error = document.error(node.key_span(second), message);
                return Err(error.hint("write a second [[route.step]]").into());
            }
        };
        let table = table.unwrap_or(node);
        let mut mistakes = Mistakes::default();
        let when = node
            .get("when")
            .and_then(|when| mistakes.keep(Template::of(document, when, Flavour::Plain)));
        let action = mistakes.keep(Action::of(document, name, table));
        let Some(action) = action else {
            return Err(mistakes);
        };
        mistakes.none()?;
        Ok(Self { when, action })
    }

    /// Runs the step. `Some` replaces the current body.
    pub(crate) async fn run(&self, input: &Input<'_>) -> Result<Option<Bytes>, Failure> {
        if let Some(when) = &self.when
            && !when.holds(&input.data)?
        {
            return Ok(None);
        }
        match &self.action {
            Action::Exec(step) => step.run(input).await,
            Action::Http(step) => step.run(input).await,
            Action::Forward(step) => step.run(input).await.map(|()| None),
            Action::File(step) => step.run(input).await.map(|()| None),
            Action::Log(step) => step.run(input).map(|()| None),
            Action::Aggregate(step) => step.run(input).await.map(|()| None),
        }
    }
}

/// The step in a few words, for graphs and logs.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Action::Exec(step) => step.fmt(f),
            Action::Http(step) => step.fmt(f),
            Action::Forward(step) => step.fmt(f),
            Action::File(step) => step.fmt(f),
            Action::Log(step) => step.fmt(f),
            Action::Aggregate(step) => step.fmt(f),
        }?;
        match &self.when {
            Some(when) => write!(f, "  when {}", when.written()),
            None => Ok(()),
        }
    }
}
