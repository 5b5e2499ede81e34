//! `receive`.

use std::ffi::OsString;
use std::num::NonZeroU32;

use clap::Args;
use longshore::core::QueueName;

use crate::parse::{self, Lease, Wait};

const AFTER: &str = "\
Examples:
  longshore receive images --max 5 --lease 2m --json
  longshore receive images --wait 30s -- ./resize --quality 80

Without a program the messages stay leased to you: end them with `longshore settle`. With one, each
message is its stdin, one after the other, and its exit code settles: 0 acks, 65 and 66 dead-letter,
all else retries by the default policy. Ends with 0 if all were acked, 3 if there was none, 4 otherwise.";

/// Options of `receive`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct ReceiveArgs {
    /// The queue
    #[arg(value_parser = parse::queue)]
    pub(crate) queue: QueueName,
    /// At most this many messages
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse::count::<NonZeroU32>, default_value = "10")]
    pub(crate) max: NonZeroU32,
    /// How long they stay leased; extended while a program works
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "30s",
        allow_hyphen_values = true
    )]
    pub(crate) lease: Lease,
    /// How long to wait for the first one
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "0s",
        allow_hyphen_values = true
    )]
    pub(crate) wait: Wait,
    /// The program that works each message, and its arguments
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}
