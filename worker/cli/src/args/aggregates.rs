//! `aggregates list`, `show`, `close` and `discard`.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use longshore::{AggregateKey, AggregateName};

use crate::epoch_filter::EpochCondition;
use crate::parse;

const AFTER: &str = "\
Examples:
  longshore aggregates list
  longshore aggregates list invoices --where 'age>1h'
  longshore aggregates close invoices ann";

const AFTER_LIST: &str = "\
Examples:
  longshore aggregates list
  longshore aggregates list invoices --where state=open --where 'parts<3'
  longshore aggregates list invoices --where key~ann --json

--where FIELD=VALUE is equal, FIELD~TEXT contains (large and small letters alike), FIELD<VALUE and
FIELD>VALUE compare. Fields: key, state (open, closed), by (what completed it), parts, bytes, age
(since its first part).";

const AFTER_SHOW: &str = "\
Examples:
  longshore aggregates show invoices ann
  longshore aggregates show invoices ann --json";

const AFTER_CLOSE: &str = "\
Examples:
  longshore aggregates close invoices ann
  longshore aggregates close invoices --where 'age>1d' --dry-run
  longshore aggregates close invoices --all --yes

What is closed is released by the workers of the aggregate, as if its rules had completed it.";

const AFTER_DISCARD: &str = "\
Examples:
  longshore aggregates discard invoices ann
  longshore aggregates discard invoices --where 'age>30d' --yes

Removes epochs with their parts for good, open ones and those that wait for their release.";

/// Options of `aggregates`.
#[derive(Debug, Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct AggregatesArgs {
    /// What to do
    #[command(subcommand)]
    pub(crate) verb: AggregatesVerb,
}

/// What to do with aggregates.
#[derive(Debug, Subcommand)]
pub(crate) enum AggregatesVerb {
    /// List aggregates, or the epochs of one
    List(AggregatesListArgs),
    /// Show the epochs of a key with their parts
    Show(AggregatesShowArgs),
    /// Complete open epochs now
    #[command(after_help = AFTER_CLOSE)]
    Close(AggregatesChangeArgs),
    /// Remove epochs with their parts for good
    #[command(after_help = AFTER_DISCARD)]
    Discard(AggregatesChangeArgs),
}

/// Options of `aggregates list`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_LIST)]
pub(crate) struct AggregatesListArgs {
    /// The aggregate whose epochs are listed. Default: the aggregates themselves
    #[arg(value_parser = parse::aggregate)]
    pub(crate) name: Option<AggregateName>,
    /// Only epochs that match; may be given several times, all must match
    #[arg(long = "where", value_name = "FIELD(=|~|<|>)VALUE", requires = "name")]
    pub(crate) conditions: Vec<EpochCondition>,
    /// At most this many epochs
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse::count::<NonZeroU32>, default_value = "100")]
    pub(crate) limit: NonZeroU32,
}

/// Options of `aggregates show`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_SHOW)]
pub(crate) struct AggregatesShowArgs {
    /// The aggregate
    #[arg(value_parser = parse::aggregate)]
    pub(crate) name: AggregateName,
    /// The correlation key
    #[arg(value_parser = parse::aggregate_key)]
    pub(crate) key: AggregateKey,
}

/// Options of `aggregates close` and `aggregates discard`.
#[derive(Debug, Args)]
pub(crate) struct AggregatesChangeArgs {
    /// The aggregate
    #[arg(value_parser = parse::aggregate)]
    pub(crate) name: AggregateName,
    /// The correlation keys
    #[arg(value_parser = parse::aggregate_key, required_unless_present_any = ["conditions", "all"], conflicts_with = "all")]
    pub(crate) keys: Vec<AggregateKey>,
    /// Only epochs that match; may be given several times, all must match
    #[arg(long = "where", value_name = "FIELD(=|~|<|>)VALUE")]
    pub(crate) conditions: Vec<EpochCondition>,
    /// All of the aggregate
    #[arg(long)]
    pub(crate) all: bool,
    /// Say how many it would be, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}
