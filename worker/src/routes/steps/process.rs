//! Running a program in a process group of its own.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join3;
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessGroup};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

use crate::Hold;

/// What a program may do before it is killed with its group.
const GRACE: Duration = Duration::from_secs(5);
/// How long output is waited for once the program itself has ended: something it started and
/// left behind may hold the pipe.
const PIPE_GRACE: Duration = Duration::from_secs(2);
/// How much of the end of stderr is kept.
const STDERR_KEPT: usize = 2048;
const SIGTERM: i32 = 15;

/// How to run it.
#[derive(Debug)]
pub(super) struct Plan {
    /// What it reads; `None` is nothing.
    pub(super) stdin: Option<Bytes>,
    /// How much of its output is kept; `None` throws it away.
    pub(super) stdout_max: Option<usize>,
    pub(super) timeout: Duration,
}

/// How it ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) how: How,
    pub(super) stdout: Vec<u8>,
    /// The end of what it wrote to stderr.
    pub(super) stderr: Vec<u8>,
}

#[derive(Debug)]
pub(super) enum How {
    Exited(ExitStatus),
    TimedOut,
    /// It printed more than is kept.
    PrintedTooMuch,
    /// Nobody waits for it any more.
    Cancelled,
}

/// Runs a command to its end, or until its time is over.
///
/// # Cancellation
///
/// Dropping the future ends the process group: TERM, 5 s, KILL. `hold` lives until it is dead.
pub(super) async fn run(mut command: Command, plan: Plan, hold: Hold) -> io::Result<Ended> {
    let piped = |wanted: bool| {
        if wanted {
            Stdio::piped()
        } else {
            Stdio::null()
        }
    };
    command
        .stdin(piped(plan.stdin.is_some()))
        .stdout(piped(plan.stdout_max.is_some()))
        .stderr(Stdio::piped());
    let mut wrapped = CommandWrap::from(command);
    wrapped.wrap(ProcessGroup::leader());
    let group = Group {
        child: unprivileged(wrapped).await?,
        dead: false,
    };
    let (answer, answered) = oneshot::channel();
    tokio::spawn(async move {
        let _hold = hold;
        supervise(group, plan, answer).await;
    });
    answered
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the program was left alone")))
}

/// Starts a program that gains no rights by what it executes: setuid bits do nothing for it.
///
/// A thread can only give that up for good, and its children inherit it; so a thread of its own
/// starts the program, and those of the runtime stay as they are.
async fn unprivileged(mut command: CommandWrap) -> io::Result<Box<dyn ChildWrapper>> {
    let runtime = Handle::current();
    let (answer, answered) = oneshot::channel();
    std::thread::Builder::new()
        .name("start".to_owned())
        .spawn(move || {
            let _entered = runtime.enter();
            #[cfg(target_os = "linux")]
            let given_up = rustix::thread::set_no_new_privs(true).map_err(io::Error::from);
            #[cfg(not(target_os = "linux"))]
            let given_up = Ok(());
            let started = given_up.and_then(|()| command.spawn());
            // Whoever wanted it is gone, and nobody would supervise it.
            if let Err(Ok(mut child)) = answer.send(started) {
                let _ = child.start_kill();
            }
        })?;
    answered
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the program could not be started")))
}

/// A process group; what lives of it at the end is killed.
struct Group {
    child: Box<dyn ChildWrapper>,
    dead: bool,
}

impl Group {
    /// TERM, some time, KILL.
    async fn end(&mut self) {
        if self.child.signal(SIGTERM).is_ok() {
            // Whether it obeyed does not matter: KILL reaches whoever is left.
            let _ = timeout(GRACE, self.child.wait()).await;
        }
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
        self.dead = true;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.dead {
            let _ = self.child.start_kill();
        }
    }
}

async fn supervise(mut group: Group, plan: Plan, mut answer: oneshot::Sender<io::Result<Ended>>) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let too_much = Notify::new();
    let how = {
        let pipes = join3(
            feed(group.child.stdin().take(), plan.stdin),
            keep(
                group.child.stdout().take(),
                &mut stdout,
                plan.stdout_max,
                &too_much,
            ),
            tail(group.child.stderr().take(), &mut stderr),
        );
        tokio::pin!(pipes);
        let deadline = sleep(plan.timeout);
        tokio::pin!(deadline);
        let mut pipes_done = false;
        let how = loop {
            tokio::select! {
                status = group.child.wait() => break status.map(How::Exited),
                _ = &mut pipes, if !pipes_done => pipes_done = true,
                () = &mut deadline => break Ok(How::TimedOut),
                () = too_much.notified() => break Ok(How::PrintedTooMuch),
                () = answer.closed() => break Ok(How::Cancelled),
            }
        };
        match how {
            Ok(How::Exited(_)) => {
                if !pipes_done && timeout(PIPE_GRACE, &mut pipes).await.is_err() {
                    let _ = group.child.start_kill();
                    let _ = timeout(PIPE_GRACE, &mut pipes).await;
                }
                group.dead = true;
            }
            _ => group.end().await,
        }
        how
    };
    let how = match how {
        Ok(How::Exited(_)) if plan.stdout_max.is_some_and(|max| stdout.len() > max) => {
            Ok(How::PrintedTooMuch)
        }
        how => how,
    };
    // Nobody listens after a cancellation.
    let _ = answer.send(how.map(|how| Ended {
        how,
        stdout,
        stderr,
    }));
}

async fn feed(pipe: Option<ChildStdin>, body: Option<Bytes>) {
    if let (Some(mut pipe), Some(body)) = (pipe, body) {
        // A program need not read its input: a closed pipe is no error.
        let _ = pipe.write_all(&body).await;
    }
}

/// Keeps one byte more than `max`, and says so.
async fn keep(
    pipe: Option<impl AsyncRead + Unpin>,
    kept: &mut Vec<u8>,
    max: Option<usize>,
    too_much: &Notify,
) {
    let (Some(pipe), Some(max)) = (pipe, max) else {
        return;
    };
    let _ = pipe.take(max as u64 + 1).read_to_end(kept).await;
    if kept.len() > max {
        too_much.notify_one();
    }
}

async fn tail(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else {
        return;
    };
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 2 * STDERR_KEPT {
            kept.drain(..kept.len() - STDERR_KEPT);
        }
    }
    let extra = kept.len().saturating_sub(STDERR_KEPT);
    kept.drain(..extra);
}
