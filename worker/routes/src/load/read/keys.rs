//! Every key of the route file.

pub(crate) mod steps;

use std::time::Duration;

use steps::{EXEC, FILE, FORWARD, HTTP, LOG, STEP};

use crate::load::read::shape::{Key, Shape, TableShape, key, later, required};

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

/// A delay: nothing up to 30 days.
const DELAY: Shape = Shape::Span(Duration::ZERO, hours(24 * 30));
/// How long something may take.
const TIMEOUT: Shape = Shape::Span(millis(100), hours(12));
/// How many redeliveries may follow.
const REDELIVERIES: Shape = Shape::Count(0, 1_000_000);

/// Of a policy and of an error clause.
const DELAYS: Key = key(
    "delays",
    Shape::Named(&DELAY),
    "Fixed delays: from retry k on, wait this long.",
);
/// Of a forward step and of the forward of an error clause.
const TARGET_QUEUE: Key = required("queue", Shape::Queue, "The queue.");
const TARGET_STORE: Key = key(
    "store",
    Shape::Text,
    "The named store. Default: the default store.",
);

/// The file.
pub(crate) const ROUTE_FILE: TableShape = TableShape {
    name: "the route file",
    keys: &[
        key(
            "version",
            Shape::Count(1, 1),
            "The version of the format: 1.",
        ),
        key(
            "store",
            Shape::Table(&STORE),
            "The default store; flags and LONGSHORE_STORE win over it.",
        ),
        key(
            "stores",
            Shape::Named(&Shape::Table(&STORE)),
            "Further stores by name.",
        ),
        key("worker", Shape::Table(&WORKER), "This process."),
        key(
            "policy",
            Shape::Table(&POLICY),
            "The error policy that all routes inherit.",
        ),
        key(
            "policies",
            Shape::Named(&Shape::Table(&POLICY)),
            "Error policies by name, for routes to share.",
        ),
        key(
            "queue",
            Shape::Named(&Shape::Table(&QUEUE)),
            "Settings of queues, kept in the store; names with dots need quotes.",
        ),
        key(
            "route",
            Shape::Tables(&ROUTE),
            "A route: where messages come from and what is done with each.",
        ),
        key(
            "on_error",
            Shape::Tables(&ON_ERROR),
            "What differs for failures with a label, in all routes.",
        ),
    ],
};

const STORE: TableShape = TableShape {
    name: "a store",
    keys: &[required("url", Shape::Url, "The store's URL.")],
};

const WORKER: TableShape = TableShape {
    name: "[worker]",
    keys: &[
        key(
            "concurrency",
            Shape::Count(1, 100_000),
            "Slots of this process, shared by its routes. Default 32.",
        ),
        key(
            "drain",
            Shape::Span(millis(0), hours(12)),
            "How long running jobs may take at shutdown, all together. Default 45s.",
        ),
    ],
};

const POLICY: TableShape = TableShape {
    name: "a policy",
    keys: &[
        key(
            "redeliveries",
            REDELIVERIES,
            "How many attempts may follow the first. Default 6.",
        ),
        key(
            "delay",
            DELAY,
            "The delay before the first retry. Default 1s.",
        ),
        key(
            "multiplier",
            Shape::Real(1.0, 1000.0),
            "Each further delay is this much longer. Default 1.0.",
        ),
        key(
            "delay_max",
            DELAY,
            "No delay is longer, jitter aside. Default 1m.",
        ),
        key(
            "jitter",
            Shape::TextOr(&Shape::Word(&["full"]), &Shape::Real(0.0, 1.0)),
            "How delays are spread: a part of the delay, or \"full\". Default 0.15.",
        ),
        DELAYS,
    ],
};

const QUEUE: TableShape = TableShape {
    name: "the settings of a queue",
    keys: &[
        key(
            "expires",
            Shape::Span(millis(1), hours(24 * 3650)),
            "Messages without an expiry of their own expire after this long.",
        ),
        key(
            "body_max",
            Shape::Size(1, 16 * 1024 * 1024),
            "The greatest body.",
        ),
        key(
            "depth_max",
            Shape::Count(1, i64::MAX),
            "The most live messages.",
        ),
        key(
            "on_group_dead",
            Shape::Word(&["continue", "park"]),
            "What happens to a group when a member dies. Default continue.",
        ),
        key(
            "on_expired",
            Shape::Word(&["dead", "discard"]),
            "What happens to an expired message. Default dead.",
        ),
        key(
            "id_window",
            Shape::Span(millis(1), hours(24 * 365)),
            "How long after its ack a given id is recognised. Default 10m.",
        ),
        key(
            "dead_keep",
            Shape::Span(Duration::from_secs(1), hours(24 * 3650)),
            "Dead letters older than this are discarded. Default: never.",
        ),
        later("redeliveries"),
        later("delay"),
    ],
};

const ROUTE: TableShape = TableShape {
    name: "a route",
    keys: &[
        required("name", Shape::Route, "The name of the route."),
        required("from", Shape::Table(&FROM), "Where messages come from."),
        key(
            "policy",
            Shape::TableOr(&Shape::Table(&POLICY), &Shape::Text),
            "The name of a shared policy, or a table; unset keys are inherited.",
        ),
        key(
            "concurrency",
            Shape::Count(1, 100_000),
            "How many messages this route works at once. Default: all slots of the process.",
        ),
        key(
            "lease",
            Shape::Span(Duration::from_secs(1), hours(12)),
            "How long a delivery stays exclusive between two extensions. Default 60s.",
        ),
        key(
            "timeout",
            TIMEOUT,
            "How long all steps together may take. Default 30m.",
        ),
        key(
            "resume",
            Shape::Word(&["step", "start"]),
            "Where a retry begins: at the failing step (default) or at the start.",
        ),
        key(
            "shutdown",
            Shape::Word(&["default", "defer"]),
            "At shutdown: stop receiving at once (default), or keep taking what other routes of this process still send here.",
        ),
        key(
            "running_tasks",
            Shape::Word(&["current", "all"]),
            "At shutdown finish the running jobs (default), or all that this worker had leased or fed.",
        ),
        key("step", Shape::Tables(&STEP), "A step; steps run in order."),
        key(
            "on_error",
            Shape::Tables(&ON_ERROR),
            "What differs for failures with a label, in this route.",
        ),
        later("startup_order"),
        later("exclusive"),
        later("poll"),
        later("transacted"),
    ],
};

const FROM: TableShape = TableShape {
    name: "from",
    keys: &[
        key("queue", Shape::Queue, "Messages of this queue."),
        key("kind", Shape::Kind, "Only messages of this kind."),
        key(
            "file",
            Shape::Text,
            "Each file that this pattern finds is a message.",
        ),
        key(
            "lines",
            Shape::Text,
            "Each line of the files that this pattern finds is a message.",
        ),
        key(
            "after",
            Shape::Word(&["keep", "delete"]),
            "What becomes of a file once it is stored. Default keep.",
        ),
        key(
            "as_kind",
            Shape::Kind,
            "The kind of the messages. Default message.",
        ),
        key(
            "shared",
            Shape::Flag,
            "Whether all hosts see the same files. Default false.",
        ),
        later("every"),
        later("cron"),
        later("tz"),
        later("http"),
        later("exec"),
        later("topic"),
    ],
};

const ERROR_FORWARD: TableShape = TableShape {
    name: "forward of an error clause",
    keys: &[TARGET_QUEUE, TARGET_STORE],
};

const ON_ERROR: TableShape = TableShape {
    name: "an error clause",
    keys: &[
        required(
            "match",
            Shape::Label,
            "Takes failures with this label and everything below it.",
        ),
        key(
            "redeliveries",
            REDELIVERIES,
            "How many attempts may follow the first.",
        ),
        key("delay", DELAY, "The delay before the first retry."),
        key(
            "multiplier",
            Shape::Real(1.0, 1000.0),
            "Each further delay is this much longer.",
        ),
        key("delay_max", DELAY, "No delay is longer, jitter aside."),
        key(
            "jitter",
            Shape::TextOr(&Shape::Word(&["full"]), &Shape::Real(0.0, 1.0)),
            "How delays are spread.",
        ),
        DELAYS,
        key("handled", Shape::Flag, "Finish as done."),
        key("continued", Shape::Flag, "Go on with the next step."),
        key(
            "forward",
            Shape::Table(&ERROR_FORWARD),
            "Send the message there, then finish as done.",
        ),
        key("dead_letter", Shape::Word(&["now"]), "Dead-letter at once."),
    ],
};

/// Every table of the file, for telling where a stray key belongs.
pub(crate) const fn shapes() -> &'static [(&'static str, &'static TableShape)] {
    &[
        ("the top of the file", &ROUTE_FILE),
        ("[worker]", &WORKER),
        ("[[route]]", &ROUTE),
        ("from", &FROM),
        ("[[route.step]]", &STEP),
        ("exec", &EXEC),
        ("http", &HTTP),
        ("forward", &FORWARD),
        ("file", &FILE),
        ("log", &LOG),
        ("[policy]", &POLICY),
        ("[[on_error]]", &ON_ERROR),
        ("[queue.…]", &QUEUE),
    ]
}
