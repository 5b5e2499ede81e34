//! `init`: a route file to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use crate::args::InitArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::Stdout;
use crate::session::Session;

/// What is written; a test runs it.
const STARTER: &str = include_str!("init/routes.toml");

pub(super) fn perform(args: &InitArgs, session: &Session) -> Result<Exit> {
    let file = args.file.display();
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
        .and_then(|mut opened| opened.write_all(STARTER.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => CliError::usage(format!(
            "\"{file}\" is there and was left alone; name another file"
        )),
        ErrorKind::NotFound => CliError::usage(format!("there is no folder for \"{file}\"")),
        ErrorKind::PermissionDenied => CliError::new(
            Exit::Denied,
            format!("\"{file}\" cannot be written: {error}"),
        ),
        _ => CliError::new(
            Exit::Failed,
            format!("\"{file}\" cannot be written: {error}"),
        ),
    })?;
    Stdout::text(&file.to_string())?;
    session.note(format_args!(
        "try it: longshore enqueue hello 'world' && longshore run {file} --until-idle"
    ));
    Ok(Exit::Done)
}
