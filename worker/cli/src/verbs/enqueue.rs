//! `enqueue`: one message, or many from a stream.

mod checks;
mod json_line;
mod many;
mod one;

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
