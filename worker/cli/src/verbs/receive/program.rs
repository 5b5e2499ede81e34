//! The program that works a message: body on stdin, exit code as the answer.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use longshore::core::{Delivery, Failure, Label, QueueName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, Command};

use crate::error::{CliError, Result};
use crate::exit::Exit;

/// How much of the end of its stderr is kept for the attempt record.
const TAIL_BYTES: usize = 1536;

/// A program at work, alone in its process group.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    group: Option<rustix::process::Pid>,
}

/// How it ended.
#[derive(Debug)]
pub(super) struct Ended {
    status: ExitStatus,
    tail: String,
}

impl Program {
    /// Starts it for a delivery. What it prints goes to our stdout.
    pub(super) fn start(
        command: &[OsString],
        queue: &QueueName,
        delivery: &Delivery,
    ) -> Result<Self> {
        let Some((program, arguments)) = command.split_first() else {
            return Err(CliError::usage("there is no program behind --"));
        };
        let message = &delivery.message;
        let child = Command::new(program)
            .args(arguments)
            .env("LONGSHORE_ID", message.id.to_string())
            .env("LONGSHORE_QUEUE", queue.as_str())
            .env("LONGSHORE_KIND", message.kind.as_str())
            .env("LONGSHORE_ATTEMPT", delivery.attempt.to_string())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C on the terminal is for us: the running message is ended in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                let exit = match error.kind() {
                    std::io::ErrorKind::PermissionDenied => Exit::Denied,
                    _ => Exit::Usage,
                };
                let shown = program.to_string_lossy();
                CliError::new(
                    exit,
                    format!("the program \"{shown}\" cannot be started: {error}"),
                )
            })?;
        let group = child.id().and_then(|id| {
            i32::try_from(id)
                .ok()
                .and_then(rustix::process::Pid::from_raw)
        });
        Ok(Self { child, group })
    }

    /// Gives it the body and waits for its end. Its stderr is passed on, the tail kept.
    pub(super) async fn finish(&mut self, body: &[u8]) -> std::io::Result<Ended> {
        let stdin = self.child.stdin.take();
        let stderr = self.child.stderr.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A program need not read its stdin to the end.
                let _ = stdin.write_all(body).await;
                let _ = stdin.shutdown().await;
            }
        };
        let (status, (), tail) = tokio::join!(self.child.wait(), feed, pass_on(stderr));
        Ok(Ended {
            status: status?,
            tail,
        })
    }

    /// Kills its whole process group and waits until it is gone.
    pub(super) async fn kill(&mut self) {
        if let Some(group) = self.group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait().await;
    }
}

async fn pass_on(stderr: Option<ChildStderr>) -> String {
    let Some(mut stderr) = stderr else {
        return String::new();
    };
    let mut kept: Vec<u8> = Vec::new();
    let mut chunk = [0; 4096];
    let mut out = tokio::io::stderr();
    while let Ok(read @ 1..) = stderr.read(&mut chunk).await {
        let _ = out.write_all(&chunk[..read]).await;
        kept.extend_from_slice(&chunk[..read]);
        let surplus = kept.len().saturating_sub(TAIL_BYTES);
        kept.drain(..surplus);
    }
    let _ = out.flush().await;
    String::from_utf8_lossy(&kept).trim().to_owned()
}

impl Ended {
    /// The failure that its exit code stands for; `None` is success.
    pub(super) fn failure(&self) -> Option<Failure> {
        let tail = if self.tail.is_empty() {
            String::new()
        } else {
            format!(": {}", self.tail)
        };
        let failure = match (self.status.code(), self.status.signal()) {
            (Some(0), _) => return None,
            (Some(code @ (65 | 66)), _) => {
                Failure::permanent(format!("exit {code}{tail}")).with_label(exit_label(code))
            }
            (Some(code), _) => {
                Failure::retryable(format!("exit {code}{tail}")).with_label(exit_label(code))
            }
            (None, signal) => {
                let signal = signal.unwrap_or(0);
                Failure::retryable(format!("ended by signal {signal}{tail}"))
                    .with_label(Label::lossy(format!("exec.signal.{signal}")))
            }
        };
        Some(failure)
    }
}

fn exit_label(code: i32) -> Label {
    Label::lossy(format!("exec.exit.{code}"))
}
