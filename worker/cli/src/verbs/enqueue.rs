//! `enqueue`: one message, or many from a stream.

mod checks;
mod feed;
mod input;
mod json_line;
mod json_value;
mod many;
mod one;
mod stream;

use crate::args::EnqueueArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::session::Session;

pub(super) async fn perform(args: EnqueueArgs, session: &Session) -> Result<Exit> {
    if args.lines || args.jsonl {
        many::perform(args, session).await
    } else {
        if args.ids {
            return Err(CliError::usage(
                "--ids goes with --lines or --jsonl; the id of one message is printed anyway",
            ));
        }
        one::perform(args, session).await
    }
}
