//! The program that works a message: body on stdin, exit code as the answer.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::time::Duration;

use longshore::core::{Delivery, QueueName};
use longshore_routes::program::{self, Ended, Output, Plan};
use tokio::process::Command;
use tokio::sync::oneshot;

use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::sink::Stderr;

/// Runs the program for a delivery. What it prints goes to our stdout, its stderr to ours.
///
/// # Cancellation
///
/// Dropping the future kills its process group; `until_dead` is dropped once it is dead.
pub(super) async fn run(
    command: &[OsString],
    queue: &QueueName,
    delivery: &Delivery,
    until_dead: oneshot::Sender<()>,
) -> Result<Ended> {
    let Some((name, arguments)) = command.split_first() else {
        return Err(CliError::usage("there is no program behind --"));
    };
    let message = &delivery.message;
    let mut command = Command::new(name);
    command
        .args(arguments)
        .env("LONGSHORE_ID", message.id.to_string())
        .env("LONGSHORE_QUEUE", queue.as_str())
        .env("LONGSHORE_KIND", message.kind.as_str())
        .env("LONGSHORE_ATTEMPT", delivery.attempt.to_string())
        .env("LONGSHORE_BODY_BYTES", message.body.len().to_string());
    let plan = Plan {
        stdin: Some(message.body.clone()),
        stdout: Output::Inherited,
        on_stderr: Box::new(|text| {
            let _ = Stderr.write_all(text);
        }),
        timeout: None,
        grace: Duration::ZERO,
        start_by: None,
    };
    program::run(command, plan, until_dead)
        .await
        .map_err(|error| unstarted(name, &error))
}

fn unstarted(name: &std::ffi::OsStr, error: &io::Error) -> CliError {
    let exit = match error.kind() {
        io::ErrorKind::PermissionDenied => Exit::Denied,
        _ => Exit::Usage,
    };
    let shown = name.to_string_lossy();
    CliError::new(
        exit,
        format!("the program \"{shown}\" cannot be started: {error}"),
    )
}
