//! `completions`: for a shell.

use clap::CommandFactory as _;

use crate::args::{Cli, CompletionsArgs};
use crate::error::Result;
use crate::exit::Exit;
use crate::output::Stdout;

pub(super) fn perform(args: &CompletionsArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "longshore", &mut script);
    let mut stdout = Stdout::lock();
    stdout.bytes(&script)?;
    stdout.finish()?;
    Ok(Exit::Done)
}
