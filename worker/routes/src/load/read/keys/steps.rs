//! Every key of a step.

use std::time::Duration;

use crate::load::read::keys::{DELAY, TARGET_QUEUE, TARGET_STORE, TIMEOUT};
use crate::load::read::shape::{Shape, TableShape, key, later, required};

pub(super) const STEP: TableShape = TableShape {
    name: "a step",
    keys: &[
        key("exec", Shape::Table(&EXEC), "Runs a program."),
        key("http", Shape::Table(&HTTP), "Makes an HTTP request."),
        key(
            "forward",
            Shape::Table(&FORWARD),
            "Sends the current body to a queue.",
        ),
        key(
            "file",
            Shape::Table(&FILE),
            "Writes the current body to a file.",
        ),
        key("log", Shape::Table(&LOG), "Logs a line."),
        key(
            "when",
            Shape::Template,
            "Runs the step only if this renders as true.",
        ),
        key(
            "aggregate",
            Shape::Table(&AGGREGATE),
            "Makes the current body a part of an aggregate. The last step of a route.",
        ),
        later("balance"),
        later("call"),
    ],
};

pub(super) const EXEC: TableShape = TableShape {
    name: "an exec step",
    keys: &[
        required(
            "command",
            Shape::List(&Shape::Template),
            "The program and its arguments.",
        ),
        key(
            "stdin",
            Shape::Word(&["body", "none"]),
            "What the program reads. Default body.",
        ),
        key(
            "stdout",
            Shape::Word(&["ignore", "body"]),
            "Whether its output replaces the current body. Default ignore.",
        ),
        key("timeout", TIMEOUT, "How long it may run. Default 10m."),
        key(
            "env",
            Shape::Named(&Shape::Template),
            "Variables of its environment.",
        ),
        key(
            "vars",
            Shape::Named(&Shape::Template),
            "Values of the message, as variables named LONGSHORE_VAR_NAME.",
        ),
        key(
            "values_in_arguments",
            Shape::Flag,
            "Whether values may stand in command and env. Default false.",
        ),
        key(
            "cwd",
            Shape::Text,
            "The folder it starts in. Default: the folder of the route file.",
        ),
        key(
            "output_max",
            Shape::Size(1, 16 * 1024 * 1024),
            "The most it may print with stdout = \"body\". Default 1MiB.",
        ),
        key(
            "log",
            Shape::Word(&["none", "stderr", "output"]),
            "What of its output is logged at info instead of debug. Default none.",
        ),
    ],
};

pub(super) const HTTP: TableShape = TableShape {
    name: "an http step",
    keys: &[
        key("get", Shape::Template, "The URL of a GET."),
        key("post", Shape::Template, "The URL of a POST."),
        key("put", Shape::Template, "The URL of a PUT."),
        key("patch", Shape::Template, "The URL of a PATCH."),
        key("delete", Shape::Template, "The URL of a DELETE."),
        key(
            "headers",
            Shape::Named(&Shape::Template),
            "Headers of the request.",
        ),
        key(
            "body",
            Shape::Template,
            "The body of the request. Default: the current body for post, put and patch, none for get and delete.",
        ),
        key(
            "response",
            Shape::Word(&["ignore", "body"]),
            "Whether the response replaces the current body. Default ignore.",
        ),
        key(
            "timeout",
            TIMEOUT,
            "How long the whole exchange may take. Default 30s.",
        ),
        key(
            "response_max",
            Shape::Size(1, 16 * 1024 * 1024),
            "The greatest response. Default 1MiB.",
        ),
    ],
};

/// Also what `forward` of an error clause takes, less the last four keys.
pub(super) const FORWARD: TableShape = TableShape {
    name: "a forward step",
    keys: &[
        TARGET_QUEUE,
        TARGET_STORE,
        key(
            "kind",
            Shape::Kind,
            "The kind of the child. Default: the kind of the message.",
        ),
        key(
            "group",
            Shape::Template,
            "The group of the child. Default: the group of the message.",
        ),
        key(
            "priority",
            Shape::Word(&["high", "normal", "low"]),
            "The priority of the child. Default: that of the message.",
        ),
        key(
            "delay",
            DELAY,
            "When the child falls due. Default: at once.",
        ),
        key(
            "headers",
            Shape::Named(&Shape::Template),
            "Headers of the child, beside those of the message.",
        ),
    ],
};

pub(super) const FILE: TableShape = TableShape {
    name: "a file step",
    keys: &[
        required(
            "path",
            Shape::Template,
            "The file. Each value in it is one segment of the path.",
        ),
        key(
            "mode",
            Shape::Word(&["append", "replace"]),
            "Append the body as a line (default), or replace the file by it.",
        ),
        key(
            "sync",
            Shape::Flag,
            "Wait until the data is on the disk. Default false.",
        ),
    ],
};

pub(super) const AGGREGATE: TableShape = TableShape {
    name: "an aggregate step",
    keys: &[
        required(
            "by",
            Shape::Template,
            "The correlation key: parts with the same key go on together.",
        ),
        required("to", Shape::Queue, "The queue of what is complete."),
        key(
            "name",
            Shape::Text,
            "The name of the aggregate. Default: that of the route.",
        ),
        key("size", COUNT, "Complete with this many parts."),
        key("bytes", BYTES, "Complete with this many bytes of bodies."),
        key("idle", WITHIN, "Complete when no part came for this long."),
        key(
            "at_most",
            WITHIN,
            "Complete this long after the first part.",
        ),
        key(
            "interval",
            WITHIN,
            "Complete at the next multiple of this span since 1970.",
        ),
        key(
            "until",
            Shape::Template,
            "Complete once this renders as true; body is the array of the bodies so far.",
        ),
        key(
            "closing",
            Shape::Template,
            "Whether this part is the last one of its epoch.",
        ),
        key(
            "late",
            Shape::Word(&["open", "drop", "dead"]),
            "What becomes of a part whose key was closed lately: it opens the next epoch (default), is dropped, or goes to the dead letters.",
        ),
        key(
            "remember",
            WITHIN,
            "How long a closed key and the ids of its parts are remembered. Default 10m.",
        ),
        key(
            "parts_max",
            COUNT,
            "No epoch has more parts. Default 10000.",
        ),
        key(
            "bytes_max",
            BYTES,
            "No epoch has more bytes of bodies. Default 4MiB, on Cassandra 64KiB.",
        ),
        key(
            "full",
            Shape::Word(&["close", "refuse"]),
            "What a part that does not fit does: close the epoch and open the next one (default), or go to the dead letters.",
        ),
        key(
            "home",
            Shape::Word(&["hash", "local"]),
            "On a store in several data centres: each key is collected in one of them, by its hash (default), or in each for itself.",
        ),
        key(
            "damaged",
            Shape::Word(&["aside", "wait"]),
            "What becomes of an epoch with a part that cannot be read: that part is set aside (default), or it waits.",
        ),
        key(
            "fold",
            Shape::Word(&["array", "lines", "concat", "sum"]),
            "How the bodies become one. Default array.",
        ),
        key(
            "kind",
            Shape::Kind,
            "The kind of the message. Default: that of the first part.",
        ),
    ],
};

/// How many parts.
const COUNT: Shape = Shape::Count(1, 100_000);
/// How many bytes of bodies.
const BYTES: Shape = Shape::Size(1, 4 * 1024 * 1024);
/// A time of an aggregate.
const WITHIN: Shape = Shape::Span(
    Duration::from_millis(100),
    Duration::from_secs(86_400 * 366),
);

pub(super) const LOG: TableShape = TableShape {
    name: "a log step",
    keys: &[
        required("message", Shape::Template, "The line."),
        key(
            "level",
            Shape::Word(&["error", "warn", "info", "debug", "trace"]),
            "Its level. Default info.",
        ),
    ],
};
