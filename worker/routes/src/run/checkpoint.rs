//! Where a delivery got to, for the next one.

use bytes::{BufMut, Bytes, BytesMut};
use longshore_core::Delivery;
use serde::{Deserialize, Serialize};

use crate::model::route::Route;

/// Room for the head of a checkpoint, and the rest is the body.
const HEAD_BYTES_MAX: usize = 1024;
/// At most four bytes each.
const NAME_CHARS_MAX: usize = 100;

/// A place in a route: the step that comes next, and the body it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// From 0.
    pub(crate) step: usize,
    /// The current body; `None` while it is the message's own.
    pub(crate) body: Option<Bytes>,
}

/// The first line of a checkpoint; what follows is the body.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    v: u8,
    route: String,
    /// The hash of the steps.
    steps: String,
    step: usize,
    /// The step that was running, later than `step` where its body did not fit.
    at: usize,
    body: bool,
    /// The step of `at` in words, for people.
    #[serde(default)]
    name: String,
}

/// Where a delivery of a route stopped, as its message's checkpoint tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoppedAt {
    /// The route.
    pub route: String,
    /// The step that was running, from 1.
    pub step: usize,
    /// That step in words, cut to some length.
    pub name: String,
    /// The body it had, unless that was the message's own or too large to be kept.
    pub body: Option<Bytes>,
}

impl StoppedAt {
    /// What a checkpoint says; `None` if it is none of a route.
    pub fn read(checkpoint: &Bytes) -> Option<Self> {
        let (head, body) = split(checkpoint)?;
        Some(Self {
            route: head.route,
            step: head.at + 1,
            name: head.name,
            body: (head.body && head.step == head.at).then_some(body),
        })
    }
}

/// A checkpoint that was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resumed {
    pub(crate) position: Position,
    /// The step that was running.
    pub(crate) at: usize,
}

impl Position {
    /// The first step with the body of the message.
    pub(crate) const START: Self = Self {
        step: 0,
        body: None,
    };

    /// Whether a checkpoint can hold it.
    pub(crate) fn fits(&self) -> bool {
        let body = self.body.as_ref().map_or(0, Bytes::len);
        body + HEAD_BYTES_MAX <= Delivery::CHECKPOINT_BYTES_MAX
    }

    /// The checkpoint that says: begin here, although the route was `at` a later step.
    pub(crate) fn to_checkpoint(&self, route: &Route, at: usize) -> Bytes {
        let head = Head {
            v: 1,
            route: route.name.as_str().to_owned(),
            steps: format!("{:032x}", route.steps_hash),
            step: self.step,
            at,
            body: self.body.is_some(),
            name: name_of(route, at),
        };
        let mut bytes = BytesMut::new();
        bytes.extend_from_slice(&serde_json::to_vec(&head).unwrap_or_default());
        bytes.put_u8(b'\n');
        if let Some(body) = &self.body {
            bytes.extend_from_slice(body);
        }
        bytes.freeze()
    }
}

/// The head of a checkpoint and what follows it.
fn split(checkpoint: &Bytes) -> Option<(Head, Bytes)> {
    let line = checkpoint.iter().position(|byte| *byte == b'\n')?;
    let head = serde_json::from_slice(&checkpoint[..line]).ok()?;
    Some((head, checkpoint.slice(line + 1..)))
}

/// A step as it was written, short enough for the head of a checkpoint.
fn name_of(route: &Route, step: usize) -> String {
    let name = route.steps.get(step).map(ToString::to_string);
    name.unwrap_or_default()
        .chars()
        .take(NAME_CHARS_MAX)
        .collect()
}

/// Reads a checkpoint. `None` if it is not of this route and exactly these steps.
pub(crate) fn read(route: &Route, checkpoint: &Bytes) -> Option<Resumed> {
    let (head, body) = split(checkpoint)?;
    let same = head.v == 1
        && head.route == route.name.as_str()
        && head.steps == format!("{:032x}", route.steps_hash)
        && head.step < route.steps.len();
    same.then(|| Resumed {
        position: Position {
            step: head.step,
            body: head.body.then_some(body),
        },
        at: head.at,
    })
}
