//! Running a program to its end.

use std::fmt;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use tokio::process::Command;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::body;
use super::ended::{Ended, How};
use super::group::Group;
use super::pipes::{keep, pass_on, tail};

/// How long output is waited for once the program itself has ended: something it started and
/// left behind may hold the pipe.
const PIPE_GRACE: Duration = Duration::from_secs(2);

/// What becomes of a program's stdout.
#[non_exhaustive]
pub enum Output {
    /// Nobody wants it.
    Discarded,
    /// It goes where ours goes.
    Inherited,
    /// It is kept; a program that prints more than this many bytes is killed.
    Kept(usize),
    /// Its pieces are told as they come.
    Told(OnPiece),
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discarded => f.write_str("Discarded"),
            Self::Inherited => f.write_str("Inherited"),
            Self::Kept(max) => f.debug_tuple("Kept").field(max).finish(),
            Self::Told(_) => f.write_str("Told"),
        }
    }
}

/// Is told pieces of what a program prints. It must not block.
pub type OnPiece = Box<dyn Fn(&[u8]) + Send + Sync>;

/// How to run a program.
pub struct Plan {
    /// What it reads on stdin, where it can also seek; `None` is nothing.
    pub stdin: Option<Bytes>,
    /// What becomes of its stdout.
    pub stdout: Output,
    /// Is told what it writes to stderr, as it comes.
    pub on_stderr: OnPiece,
    /// After this it is ended; `None` is never.
    pub timeout: Option<Duration>,
    /// What it may do between TERM and KILL. Zero kills it at once.
    pub grace: Duration,
    /// It is not started later than this: the lease of its message may have ended.
    pub start_by: Option<Instant>,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("stdin", &self.stdin.as_ref().map(Bytes::len))
            .field("stdout", &self.stdout)
            .field("timeout", &self.timeout)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// Runs a command to its end, or until its time is over. An error is that it could not be started.
///
/// # Cancellation
///
/// Dropping the future ends the process group: TERM, the plan's grace, KILL. `until_dead` is
/// dropped once it is dead, however it came to that.
pub async fn run<T: Send + 'static>(
    mut command: Command,
    plan: Plan,
    until_dead: T,
) -> io::Result<Ended> {
    let stdin = match &plan.stdin {
        Some(body) => body::stdin(body)?,
        None => Stdio::null(),
    };
    let stdout = match plan.stdout {
        Output::Discarded => Stdio::null(),
        Output::Inherited => Stdio::inherit(),
        Output::Kept(_) | Output::Told(_) => Stdio::piped(),
    };
    command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
    let group = Group::start(command, plan.start_by).await?;
    let (answer, answered) = oneshot::channel();
    tokio::spawn(async move {
        let _until_dead = until_dead;
        supervise(group, plan, answer).await;
    });
    answered
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the program was left alone")))
}

async fn supervise(mut group: Group, plan: Plan, mut answer: oneshot::Sender<io::Result<Ended>>) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let stdout_max = match plan.stdout {
        Output::Kept(max) => Some(max),
        Output::Discarded | Output::Inherited | Output::Told(_) => None,
    };
    let told = match &plan.stdout {
        Output::Told(tell) => Some(&**tell),
        Output::Discarded | Output::Inherited | Output::Kept(_) => None,
    };
    let too_much = Notify::new();
    let how = {
        let printed = group.leader.stdout.take();
        let of_stdout = async {
            match told {
                Some(tell) => pass_on(printed, tell).await,
                None => keep(printed, &mut stdout, stdout_max, &too_much).await,
            }
        };
        let pipes = join(
            of_stdout,
            tail(group.leader.stderr.take(), &mut stderr, &*plan.on_stderr),
        );
        tokio::pin!(pipes);
        let time_is_over = async {
            match plan.timeout {
                Some(timeout) => {
                    sleep(timeout).await;
                    timeout
                }
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time_is_over);
        let mut pipes_done = false;
        let how = loop {
            tokio::select! {
                status = group.exited() => break status.map(How::Exited),
                _ = &mut pipes, if !pipes_done => pipes_done = true,
                timeout = &mut time_is_over => break Ok(How::TimedOut(timeout)),
                () = too_much.notified() => break Ok(How::PrintedTooMuch(stdout_max.unwrap_or(0))),
                () = answer.closed() => break Ok(How::Cancelled),
            }
        };
        match how {
            Ok(How::Exited(_)) => {
                if !pipes_done && timeout(PIPE_GRACE, &mut pipes).await.is_err() {
                    group.kill_rest();
                    let _ = timeout(PIPE_GRACE, &mut pipes).await;
                }
                group.leave();
            }
            _ => group.end(plan.grace).await,
        }
        how
    };
    let how = match (how, stdout_max) {
        (Ok(How::Exited(_)), Some(max)) if stdout.len() > max => Ok(How::PrintedTooMuch(max)),
        (how, _) => how,
    };
    // Nobody listens after a cancellation.
    let _ = answer.send(how.map(|how| Ended {
        how,
        stdout,
        stderr,
    }));
}
