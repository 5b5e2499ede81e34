//! `settle` and `extend`.

use clap::{Args, ValueEnum};
use longshore::core::ReceiptWord;

use crate::parse::{self, Lease, Span};

const AFTER_SETTLE: &str = "\
Examples:
  longshore settle ack AQZpbWFnZXM…
  longshore settle retry AQZpbWFnZXM… --delay 5m --reason 'disk full'
  longshore settle dead-letter AQZpbWFnZXM… --reason 'no such user'

A receipt is the word that `longshore receive` printed; it knows its queue.";

const AFTER_EXTEND: &str = "\
Example:
  longshore extend AQZpbWFnZXM… --lease 10m";

/// Options of `settle`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_SETTLE)]
pub(crate) struct SettleArgs {
    /// How the deliveries end
    pub(crate) fate: SettleFate,
    /// Receipts
    #[arg(required = true, value_parser = parse::receipt)]
    pub(crate) receipt: Vec<ReceiptWord>,
    /// With retry and release: come back after this long [default: at once]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(crate) delay: Option<Span>,
    /// With retry and dead-letter: why, kept in the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// How a delivery ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SettleFate {
    /// Done: the message is forgotten
    Ack,
    /// Failed: it comes back, the attempt counts
    Retry,
    /// Not worked: it comes back, the attempt is given back
    Release,
    /// Given up: it goes to the dead letters
    DeadLetter,
}

/// Options of `extend`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_EXTEND)]
pub(crate) struct ExtendArgs {
    /// Receipts
    #[arg(required = true, value_parser = parse::receipt)]
    pub(crate) receipt: Vec<ReceiptWord>,
    /// How long the leases last from now
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "30s",
        allow_hyphen_values = true
    )]
    pub(crate) lease: Lease,
}
