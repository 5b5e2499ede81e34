//! Forward steps: a child message in another queue.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{
    Due, Failure, GroupName, IdOrigin, JobKind, Label, Lane, Message, NewMessage, QueueName,
    RouteName, StoreError, StoreErrorKind,
};
use tracing::Instrument;

use crate::load::read::{Document, Node};
use crate::model::mistakes::Mistakes;
use crate::steps::{Input, Services};
use crate::template::{Flavour, Template};
use longshore::{Connection, JobContext, spans};

/// Sends the current body to a queue. Kind, headers, group, priority and trace are those of the
/// message unless the step sets them.
#[derive(Debug)]
pub(crate) struct ForwardStep {
    pub(crate) queue: QueueName,
    /// The named store; `None` is the store of the route.
    pub(crate) store: Option<String>,
    kind: Option<JobKind>,
    group: Option<Template>,
    lane: Option<Lane>,
    delay: Option<Duration>,
    headers: Vec<(String, Template)>,
}

impl ForwardStep {
    pub(super) fn of(document: &Document, node: &Node) -> Result<Self, Mistakes> {
        let wrong =
            |error: longshore_core::NameError| document.error(&node.span, error.to_string());
        let queue = QueueName::new(node.text("queue").unwrap_or_default()).map_err(wrong)?;
        let kind = node
            .text("kind")
            .map(JobKind::new)
            .transpose()
            .map_err(wrong)?;
        let mut mistakes = Mistakes::default();
        let group = node.get("group");
        let group =
            group.and_then(|group| mistakes.keep(Template::of(document, group, Flavour::Plain)));
        let mut headers = Vec::new();
        for (name, _, value) in node.get("headers").map(Node::entries).unwrap_or_default() {
            let value = mistakes.keep(Template::of(document, value, Flavour::Plain));
            headers.extend(value.map(|value| (name.to_owned(), value)));
        }
        mistakes.none()?;
        Ok(Self {
            queue,
            store: node.text("store").map(str::to_owned),
            kind,
            group,
            lane: node.text("priority").map(|word| match word {
                "high" => Lane::High,
                "low" => Lane::Low,
                _ => Lane::Normal,
            }),
            delay: node.duration("delay"),
            headers,
        })
    }

    pub(super) async fn run(&self, input: &Input<'_>) -> Result<(), Failure> {
        let parent = input.data.message;
        let index = (input.index as u64).to_le_bytes();
        let mut child = Child::of(parent, input.route, &index, input.body.clone());
        let message = &mut child.message;
        if let Some(kind) = &self.kind {
            message.kind = kind.clone();
        }
        if let Some(group) = &self.group {
            message.group = group_name(&group.render(&input.data)?)?;
        }
        message.lane = self.lane.unwrap_or(message.lane);
        message.due = self.delay.map(Due::In);
        for (name, value) in &self.headers {
            message.headers.insert(name, value.render(&input.data)?);
        }
        let store = self.store.as_deref();
        child
            .send(input.job, input.services, &self.queue, store)
            .await
    }
}

/// An empty text is no group.
fn group_name(text: &str) -> Result<Option<GroupName>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    GroupName::new(text)
        .map(Some)
        .map_err(|error| refused(error.to_string(), true))
}

/// A message that is made of another one, with an id that a rerun gives again.
#[derive(Debug)]
pub(crate) struct Child {
    message: NewMessage,
}

impl Child {
    /// The child of `parent` that `place` in a route makes.
    pub(crate) fn of(parent: &Message, route: &RouteName, place: &[u8], body: Bytes) -> Self {
        let id = parent.id.derive(&[route.as_str().as_bytes(), place]);
        let mut message = NewMessage::new(id, IdOrigin::Given, parent.kind.clone(), body);
        message.headers = parent.headers.clone();
        message.group.clone_from(&parent.group);
        message.lane = parent.lane;
        message.trace.clone_from(&parent.trace);
        Self { message }
    }

    /// Stores it. A repeat is as good as the first time.
    pub(crate) async fn send(
        self,
        job: &JobContext,
        services: &Services,
        queue: &QueueName,
        store: Option<&str>,
    ) -> Result<(), Failure> {
        let connection: &Connection = match store {
            None => &job.connection,
            Some(name) => services
                .stores
                .get(name)
                .ok_or_else(|| refused(format!("the store {name:?} is not connected"), false))?,
        };
        let batch = [self.message];
        let call = connection.backend().queues.enqueue(queue, &batch);
        let stored = call.instrument(spans::send(queue, 1)).await;
        stored.map(drop).map_err(|error| unsent(queue, &error))
    }
}

/// What a store that did not take the child means for the parent.
fn unsent(queue: &QueueName, error: &StoreError) -> Failure {
    let message = format!("the forward to {queue} failed: {error}");
    let away = |label| {
        let failure = Failure::away(&Label::lossy(label), message.clone());
        match error.retry_hint() {
            Some(hint) => failure.retry_after(hint),
            None => failure,
        }
    };
    match error.kind() {
        StoreErrorKind::Unavailable | StoreErrorKind::Timeout | StoreErrorKind::Conflict => {
            away("forward.unavailable")
        }
        StoreErrorKind::Overloaded => away("forward.overloaded"),
        StoreErrorKind::TooLarge | StoreErrorKind::InvalidInput => refused(message, true),
        _ => refused(message, false),
    }
}

fn refused(message: String, permanent: bool) -> Failure {
    let failure = if permanent {
        Failure::permanent(message)
    } else {
        Failure::retryable(message)
    };
    failure.with_label(Label::lossy("forward.refused"))
}

impl fmt::Display for ForwardStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "forward to {}", self.queue)?;
        match &self.store {
            Some(store) => write!(f, " of {store}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_core::FailureClass;

    use super::*;

    #[test]
    fn a_store_that_is_away_is_not_the_messages_fault() {
        let queue = QueueName::new("q").unwrap();
        let rows = [
            (
                StoreErrorKind::Unavailable,
                "forward.unavailable",
                FailureClass::Away,
            ),
            (
                StoreErrorKind::Timeout,
                "forward.unavailable",
                FailureClass::Away,
            ),
            (
                StoreErrorKind::Conflict,
                "forward.unavailable",
                FailureClass::Away,
            ),
            (
                StoreErrorKind::Overloaded,
                "forward.overloaded",
                FailureClass::Away,
            ),
            (
                StoreErrorKind::TooLarge,
                "forward.refused",
                FailureClass::Permanent,
            ),
            (
                StoreErrorKind::InvalidInput,
                "forward.refused",
                FailureClass::Permanent,
            ),
            (
                StoreErrorKind::Denied,
                "forward.refused",
                FailureClass::Retryable,
            ),
            (
                StoreErrorKind::Unexpected,
                "forward.refused",
                FailureClass::Retryable,
            ),
        ];
        for (kind, label, class) in rows {
            let failure = unsent(&queue, &StoreError::new(kind, "enqueue", "x"));
            assert_eq!(
                (failure.labelled().as_str(), failure.class()),
                (label, class),
                "{kind:?}"
            );
        }
    }
}
