//! From the arguments to the exit code.

mod threads;

use std::ffi::OsString;
use std::io::Write as _;

use clap::Parser as _;

use crate::args::{Cli, complaint, verb_of};
use crate::error::Result;
use crate::exit::Exit;
use crate::output::sink::{self, Stderr};
use crate::output::{Stdout, complain};
use crate::session::Session;
use crate::{telemetry, verbs};

/// Runs one command to its end.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let exit = run_to_end(args);
    sink::flush();
    exit
}

fn run_to_end(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, &args),
    };
    match threads::check().and_then(|()| perform(cli)) {
        Ok(exit) => exit,
        Err(error) => {
            error.report();
            error.exit()
        }
    }
}

/// Keeps other programs of this user, those of exec steps among them, from reading what this
/// process has in its environment and memory, and its memory out of core dumps.
fn hide_secrets() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Where the system refuses, all is as it was.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Help and version go to stdout and are no failure; everything else is one sentence.
fn refuse(error: &clap::Error, args: &[OsString]) -> Exit {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            match Stdout::text(&error.render().to_string()) {
                Ok(()) => Exit::Done,
                Err(error) => {
                    error.report();
                    error.exit()
                }
            }
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = Stderr.write_all(error.render().to_string().as_bytes());
            Exit::Usage
        }
        _ => {
            complain(complaint(error, &verb_of(args)));
            Exit::Usage
        }
    }
}

fn perform(cli: Cli) -> Result<Exit> {
    hide_secrets();
    telemetry::install(&cli.global, telemetry::Loudness::of(&cli.verb))?;
    let session = Session::new(cli.global);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(threads::refused)?;
    let ended = runtime.block_on(verbs::perform(cli.verb, &session));
    // A read of stdin that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    ended
}
