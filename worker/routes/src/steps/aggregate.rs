//! Aggregate steps: the message becomes a part, and is done.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use longshore::aggregate::{Fold as _, Folding, Judge};
use longshore::{Aggregate, AggregateError, Connection, Release};
use longshore_core::{
    AggregateName, AggregateRules, Failure, Home, JobKind, Label, LateParts, Message, QueueName,
    RouteName, WhenFull,
};

use crate::ConfigError;
use crate::load::read::{Document, Mark, Node};
use crate::model::mistakes::Mistakes;
use crate::steps::Input;
use crate::template::{Data, Flavour, Template};

/// Makes the current body a part of an aggregate, and what is complete one message in a queue.
#[derive(Debug)]
pub(crate) struct AggregateStep {
    /// `None` until it is known whose step it is.
    name: Option<AggregateName>,
    pub(crate) place: Mark,
    by: Template,
    closing: Option<Template>,
    rules: AggregateRules,
    pub(crate) to: QueueName,
    folding: Folding,
    kind: Option<JobKind>,
    waits_for_damaged: bool,
}

impl AggregateStep {
    pub(super) fn of(document: &Arc<Document>, node: &Node) -> Result<Self, Mistakes> {
        let wrong =
            |error: longshore_core::NameError| document.error(&node.span, error.to_string());
        let name = node.text("name").map(AggregateName::new).transpose();
        let kind = node.text("kind").map(JobKind::new).transpose();
        let to = QueueName::new(node.text("to").unwrap_or_default());
        let mut mistakes = Mistakes::default();
        let by = Template::of(document, node.get("by").unwrap_or(node), Flavour::Plain);
        let by = mistakes.keep(by);
        let closing = node
            .get("closing")
            .map(|closing| Template::of(document, closing, Flavour::Plain));
        let closing = mistakes.keep(closing.transpose()).flatten();
        let rules = mistakes.keep(rules(document, node));
        let (Some(by), Some(rules)) = (by, rules) else {
            return Err(mistakes);
        };
        mistakes.none()?;
        Ok(Self {
            name: name.map_err(wrong)?,
            place: Mark::new(document, &node.span),
            by,
            closing,
            rules,
            to: to.map_err(wrong)?,
            folding: match node.text("fold") {
                Some("lines") => Folding::Lines,
                Some("concat") => Folding::Concat,
                Some("sum") => Folding::Sum,
                _ => Folding::Array,
            },
            kind: kind.map_err(wrong)?,
            waits_for_damaged: node.text("damaged") == Some("wait"),
        })
    }

    /// Takes the name of its route where it has none of its own.
    pub(crate) fn name_by(&mut self, route: &RouteName) {
        if self.name.is_none() {
            // A route's name is shorter than an aggregate's and of the same letters.
            self.name = AggregateName::new(route.as_str()).ok();
        }
    }

    /// The aggregate that it collects into.
    pub(crate) fn name(&self) -> &str {
        self.name.as_ref().map_or("", AggregateName::as_str)
    }

    /// The queue of its dead letters.
    pub(crate) fn dead(&self) -> String {
        format!("aggregate.{}", self.name())
    }

    /// Opens its aggregate.
    pub(crate) fn open(&self, connection: &Connection) -> Result<Aggregate, AggregateError> {
        Aggregate::open(connection, self.name(), self.rules.clone())
    }

    /// How its epochs are released.
    pub(crate) fn release(
        &self,
        aggregate: &Aggregate,
    ) -> Result<Release, longshore_core::NameError> {
        let release = Release::to(aggregate, self.to.as_str())?.fold(self.folding);
        let mut release = release.judge(Until);
        if let Some(kind) = &self.kind {
            release = release.kind(kind.clone());
        }
        if self.waits_for_damaged {
            release = release.wait_for_damaged();
        }
        Ok(release)
    }

    pub(super) async fn run(&self, input: &Input<'_>) -> Result<(), Failure> {
        let no_key = || Label::lossy("aggregate.key");
        let key = self.by.render(&input.data);
        let key = key.map_err(|failure| failure.with_label(no_key()))?;
        let aggregate = input
            .services
            .aggregates
            .get(self.name())
            .ok_or_else(|| Failure::retryable("the aggregate is not open"))?;
        let message = input.data.message;
        let mut part = aggregate
            .part_of(message, &key, input.body.clone())
            .map_err(|error| Failure::permanent(error.to_string()).with_label(no_key()))?;
        if let Some(closing) = &self.closing {
            part.closing = closing.holds(&input.data)?;
        }
        let stored = aggregate.append(&[part]).await;
        stored
            .map(drop)
            .map_err(|error| AggregateError::from(error).into_failure())
    }
}

/// The rules that the keys of the step say.
fn rules(document: &Document, node: &Node) -> Result<AggregateRules, ConfigError> {
    let millis = |key: &str| {
        let span: Option<Duration> = node.duration(key);
        span.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
    };
    let count = |key: &str| {
        node.whole(key)
            .map(|n| u32::try_from(n).unwrap_or(u32::MAX))
    };
    let bytes = |key: &str| node.whole(key);
    let mut rules = AggregateRules::default();
    rules.size = count("size");
    rules.bytes = bytes("bytes");
    rules.idle_ms = millis("idle");
    rules.at_most_ms = millis("at_most");
    rules.interval_ms = millis("interval");
    rules.predicate = until(document, node)?;
    rules.closing = node.get("closing").is_some();
    rules.late = match node.text("late") {
        Some("drop") => LateParts::Drop,
        Some("dead") => LateParts::Dead,
        _ => LateParts::Open,
    };
    rules.remember_ms = millis("remember").unwrap_or(rules.remember_ms);
    rules.parts_max = count("parts_max").unwrap_or(rules.parts_max);
    rules.bytes_max = bytes("bytes_max");
    if node.text("full") == Some("refuse") {
        rules.full = WhenFull::Refuse;
    }
    if node.text("home") == Some("local") {
        rules.home = Home::Local;
    }
    rules
        .check()
        .map_err(|wrong| document.error(&node.span, format!("the aggregate: {wrong}")))?;
    Ok(rules)
}

/// The condition of `until`, as it is stored with each epoch.
fn until(document: &Document, node: &Node) -> Result<Option<String>, ConfigError> {
    let Some(until) = node.get("until") else {
        return Ok(None);
    };
    let template = Template::of(document, until, Flavour::Plain)?;
    if template.is_literal() {
        let said = "until says the same of all parts";
        let error = document.error(&until.span, said);
        return Err(error.hint("write a condition such as {{ body | length >= 3 }}"));
    }
    if template.source() != template.written() {
        let said = "until is stored with each epoch, so no variable may stand in it";
        return Err(document.error(&until.span, said));
    }
    Ok(Some(template.source().to_owned()))
}

/// Renders the condition of `until`: its body is the array of the bodies so far.
#[derive(Debug)]
struct Until;

impl Judge for Until {
    fn is_complete(&self, predicate: &str, parts: &[Message]) -> Result<bool, Failure> {
        let template = Template::stored(predicate)
            .map_err(|wrong| Failure::permanent(wrong).with_label(Label::lossy("template")))?;
        let Some(last) = parts.last() else {
            return Ok(false);
        };
        let body = Folding::Array.fold(parts)?;
        let queue =
            QueueName::new("aggregate").map_err(|error| Failure::permanent(error.to_string()))?;
        template.holds(&Data::new(last, &queue, 1, &body))
    }
}

impl fmt::Display for AggregateStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "aggregate {} by {}, to {}",
            self.name(),
            self.by.written(),
            self.to
        )
    }
}
