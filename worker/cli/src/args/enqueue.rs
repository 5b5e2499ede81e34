//! `enqueue`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use longshore::core::{DedupKey, GroupName, JobKind, Lane, MessageId, QueueName};

use super::DueArgs;
use crate::parse::{self, HeaderPair, Span};

const AFTER: &str = "\
Examples:
  longshore enqueue images '{\"width\":640}' --kind resize --delay 5m
  longshore enqueue images @photo.jpg --header name=photo.jpg
  convert photo.png - | longshore enqueue images -
  longshore enqueue urls --lines < urls.txt
  longshore enqueue orders --jsonl @orders.jsonl --json

A line of --jsonl is an object: {\"body\":…} and, where wanted, \"id\", \"kind\", \"headers\", \"group\",
\"priority\", \"delay\", \"at\", \"expires\", \"dedup_key\", \"dedup_window\". A body that is not a string is
kept as JSON; \"body_base64\" takes any bytes. Lines that are not valid are named on stderr, the others are stored,
and the command ends with 4. Lines are stored as they come, at most 200 ms late; a signal stores what
was read, says how many, and ends with 128 + its number.";

/// Options of `enqueue`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct EnqueueArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// The body: text, - for stdin (the default off a terminal), @FILE for a file
    pub(crate) body: Option<OsString>,
    /// A message for each line of the input
    #[arg(long, conflicts_with_all = ["jsonl", "id", "dedup_key"])]
    pub(crate) lines: bool,
    /// A message for each line of the input, which is a JSON object
    #[arg(long, conflicts_with_all = ["id", "dedup_key"])]
    pub(crate) jsonl: bool,
    /// Print the id of each line as it is stored, in the order of the lines
    #[arg(long)]
    pub(crate) ids: bool,
    /// The id; a repeat of it stores nothing and answers duplicate
    #[arg(long, value_name = "UUID", value_parser = parse::message_id)]
    pub(crate) id: Option<MessageId>,
    /// Recognise a repeat of this key
    #[arg(long, value_name = "KEY", value_parser = parse::dedup_key)]
    pub(crate) dedup_key: Option<DedupKey>,
    /// What may stand at a line as well; for many lines these are the defaults.
    #[command(flatten)]
    pub(crate) message: MessageArgs,
}

/// What is told of a message besides its body and identity.
#[derive(Clone, Debug, Args)]
pub(crate) struct MessageArgs {
    /// The kind of job [default: message]
    #[arg(long, value_parser = parse::kind)]
    pub(crate) kind: Option<JobKind>,
    /// A header; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) header: Vec<HeaderPair>,
    /// Members of a group are worked one at a time, in order
    #[arg(long, value_parser = parse::group)]
    pub(crate) group: Option<GroupName>,
    /// Which lane it takes [default: normal]
    #[arg(long)]
    pub(crate) priority: Option<Priority>,
    #[command(flatten)]
    pub(crate) due: DueArgs,
    /// Dead letter if not handed out within this long [default: the queue's setting]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(crate) expires: Option<Span>,
    /// With a dedup key: how long a repeat of it is recognised [default: 1h]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(crate) dedup_window: Option<Span>,
}

/// A lane on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Priority {
    /// Most turns
    High,
    /// The default
    Normal,
    /// Fewest turns, but always some
    Low,
}

impl From<Priority> for Lane {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::High => Self::High,
            Priority::Normal => Self::Normal,
            Priority::Low => Self::Low,
        }
    }
}
