//! `dead list`, `show`, `redrive`, `discard`, `export` and `import`.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroU64};

use clap::{Args, Subcommand, ValueEnum};
use longshore::core::{MessageId, QueueName};

use crate::parse::{self, Assignment, Rate};

use crate::where_filter::Condition;

const AFTER: &str = "\
Examples:
  longshore dead list images --where reason=exhausted --group-by error
  longshore dead redrive images --where 'error~timed out' --rate 20/s --yes
  longshore dead export images > dead.jsonl";

const AFTER_LIST: &str = "\
Examples:
  longshore dead list images --limit 20
  longshore dead list images --where 'error~timed out' --where 'dead_at>2h'
  longshore dead list images --group-by error

--where FIELD=VALUE is equal, FIELD~TEXT contains (large and small letters alike), FIELD<VALUE and
FIELD>VALUE compare numbers and times. Fields: id, kind, reason, error, label, group, attempts,
first_enqueued_at, dead_at, header.NAME. A time is a point (2026-12-24T18:00:00Z) or an age:
dead_at>2h is what died in the last two hours.";

const AFTER_SHOW: &str = "\
Example:
  longshore dead show images 018f3c7a-5b2e-7d11-9a3b-0123456789ab";

const AFTER_REDRIVE: &str = "\
Examples:
  longshore dead redrive images 018f3c7a-5b2e-7d11-9a3b-0123456789ab
  longshore dead redrive images --where kind=resize --rate 20/s --yes
  longshore dead redrive images --dry-run
  longshore dead redrive images 018f3c7a-5b2e-7d11-9a3b-0123456789ab --set size.width=640
  longshore dead redrive images 018f3c7a-5b2e-7d11-9a3b-0123456789ab --body @fixed.json

A redriven message keeps id and history and starts at attempt 1. With another body it is another
message: it keeps group, headers and history, has an id of its own, which is printed, and the header
edited_from names the first. A VALUE that is no JSON is text.";

const AFTER_DISCARD: &str = "\
Examples:
  longshore dead discard images 018f3c7a-5b2e-7d11-9a3b-0123456789ab
  longshore dead discard images --where 'dead_at<30d' --yes";

const AFTER_EXPORT: &str = "\
Examples:
  longshore dead export images > dead.jsonl
  longshore dead export images --where reason=damaged

Prints one JSON object a line with body, headers and history, for `dead import`. Nothing is removed.";

const AFTER_IMPORT: &str = "\
Examples:
  longshore dead import images @dead.jsonl
  longshore dead export images | longshore --store redis://h1 dead import images -

Ids, times, attempts and history are kept. What is here already, dead or alive, is left alone, so to
import twice changes nothing. Lines that are no dead letter are named, the others are taken over,
and the command ends with 4.";

/// Options of `dead`.
#[derive(Debug, Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct DeadArgs {
    /// What to do
    #[command(subcommand)]
    pub(crate) verb: DeadVerb,
}

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadVerb {
    /// List them, oldest first
    List(DeadListArgs),
    /// Show one with its history and body
    Show(DeadShowArgs),
    /// Make them live again
    #[command(after_help = AFTER_REDRIVE)]
    Redrive(DeadRedriveArgs),
    /// Remove them for good
    #[command(after_help = AFTER_DISCARD)]
    Discard(DeadChangeArgs),
    /// Print them whole, as JSON lines
    Export(DeadExportArgs),
    /// Take over what export printed, history and all
    Import(DeadImportArgs),
}

/// Options of `dead list`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_LIST)]
pub(crate) struct DeadListArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// Only those that match; may be given several times, all must match
    #[arg(long = "where", value_name = "FIELD(=|~|<|>)VALUE")]
    pub(crate) conditions: Vec<Condition>,
    /// At most this many
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse::count::<NonZeroU32>, default_value = "100")]
    pub(crate) limit: NonZeroU32,
    /// Go on behind this cursor, which an earlier page printed
    #[arg(long, value_name = "CURSOR", conflicts_with = "group_by")]
    pub(crate) after: Option<String>,
    /// Count those that are alike instead of listing each
    #[arg(long, value_name = "FIELD")]
    pub(crate) group_by: Option<GroupBy>,
}

/// What dead letters are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupBy {
    /// The error, whatever numbers and ids it names
    Error,
    /// Why they were given up
    Reason,
    /// Their kind
    Kind,
    /// The label of the last failure
    Label,
}

/// Options of `dead show`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_SHOW)]
pub(crate) struct DeadShowArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// The dead letter
    #[arg(value_parser = parse::message_id)]
    pub(crate) id: MessageId,
}

/// Which dead letters are meant.
#[derive(Debug, Args)]
pub(crate) struct DeadSelection {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// The dead letters; all of the queue without
    #[arg(value_parser = parse::message_id)]
    pub(crate) id: Vec<MessageId>,
    /// Only those that match; may be given several times, all must match
    #[arg(
        long = "where",
        value_name = "FIELD(=|~|<|>)VALUE",
        conflicts_with = "id"
    )]
    pub(crate) conditions: Vec<Condition>,
    /// At most this many, oldest first
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse::count::<NonZeroU64>, conflicts_with = "id")]
    pub(crate) limit: Option<NonZeroU64>,
    /// Go on behind this cursor
    #[arg(long, value_name = "CURSOR", conflicts_with = "id")]
    pub(crate) after: Option<String>,
}

/// Options of `dead redrive` and `dead discard`.
#[derive(Debug, Args)]
pub(crate) struct DeadChangeArgs {
    /// Which.
    #[command(flatten)]
    pub(crate) selection: DeadSelection,
    /// Not faster than this, such as 20/s
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    pub(crate) rate: Option<Rate>,
    /// Change nothing, only count how many it would be
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Options of `dead redrive`.
#[derive(Debug, Args)]
pub(crate) struct DeadRedriveArgs {
    /// Which, and how.
    #[command(flatten)]
    pub(crate) change: DeadChangeArgs,
    /// With another body.
    #[command(flatten)]
    pub(crate) edit: DeadEdit,
}

/// What becomes of the body of the one that is redriven.
#[derive(Debug, Args)]
pub(crate) struct DeadEdit {
    /// With this body: text, - for stdin, @FILE for a file; takes one ID
    #[arg(long, value_name = "BODY", allow_hyphen_values = true, conflicts_with_all = ["set", "conditions", "limit", "after"])]
    pub(crate) body: Option<OsString>,
    /// With this field of its JSON body changed; may be given several times; takes one ID
    #[arg(long, value_name = "PATH=VALUE", conflicts_with_all = ["conditions", "limit", "after"])]
    pub(crate) set: Vec<Assignment>,
}

impl DeadEdit {
    /// Whether the body stays as it is.
    pub(crate) fn is_none(&self) -> bool {
        self.body.is_none() && self.set.is_empty()
    }
}

/// Options of `dead export`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_EXPORT)]
pub(crate) struct DeadExportArgs {
    /// Which.
    #[command(flatten)]
    pub(crate) selection: DeadSelection,
}

/// Options of `dead import`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_IMPORT)]
pub(crate) struct DeadImportArgs {
    /// The queue that takes them; the one they came from is not asked
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// The lines: - for stdin (the default off a terminal), @FILE for a file
    #[arg(value_name = "@FILE")]
    pub(crate) file: Option<OsString>,
}
