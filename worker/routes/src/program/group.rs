//! A process group: a program and what it started.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

/// How often the first process of a PID namespace asks for what was left to it.
const REAPED_EACH: Duration = Duration::from_secs(1);

/// A program as the leader of its group; what lives of the group when this is dropped is killed.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) leader: Child,
    id: Option<Pid>,
    is_over: bool,
}

impl Group {
    /// Starts a program that gains no rights by what it executes: setuid bits do nothing for it.
    ///
    /// A thread can only give that up for good, and its children inherit it; so a thread of its
    /// own starts the program, and those of the runtime stay as they are.
    pub(super) async fn start(mut command: Command, start_by: Option<Instant>) -> io::Result<Self> {
        command.process_group(0).kill_on_drop(true);
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
                // The last moment to notice that this process stood still.
                let in_time = given_up.and_then(|()| match start_by {
                    Some(by) if by <= Instant::now() => Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the lease of its message had ended before it was started",
                    )),
                    _ => Ok(()),
                });
                let started = in_time.and_then(|()| command.spawn()).map(Self::of);
                // The job that wanted it may be gone: then the group is dropped here, and dies.
                let _ = answer.send(started);
            })?;
        answered
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the program could not be started")))
    }

    fn of(leader: Child) -> Self {
        let id = leader.id().and_then(|id| i32::try_from(id).ok());
        Self {
            leader,
            id: id.and_then(Pid::from_raw),
            is_over: false,
        }
    }

    /// Waits for the leader alone: what it left behind is not waited for.
    pub(super) async fn exited(&mut self) -> io::Result<ExitStatus> {
        self.leader.wait().await
    }

    /// TERM, `grace`, KILL; then the leader is dead.
    pub(super) async fn end(&mut self, grace: Duration) {
        if !grace.is_zero() && self.signal(Signal::TERM) {
            // Whether it obeyed does not matter: KILL reaches the processes that are left.
            let _ = timeout(grace, self.leader.wait()).await;
        }
        self.signal(Signal::KILL);
        let _ = self.leader.wait().await;
        self.leave();
    }

    /// Kills what is left of the group of a leader that has ended.
    pub(super) fn kill_rest(&mut self) {
        self.signal(Signal::KILL);
    }

    /// The leader has ended: what it left behind may go on.
    pub(super) fn leave(&mut self) {
        self.is_over = true;
        // Nobody else would ask for the orphans of a container without an init.
        if let Some(id) = self.id
            && std::process::id() == 1
        {
            tokio::spawn(reap(id));
        }
    }

    fn signal(&self, signal: Signal) -> bool {
        self.id
            .is_some_and(|id| kill_process_group(id, signal).is_ok())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over {
            self.signal(Signal::KILL);
        }
    }
}

/// Asks for the ends of a group's processes until there are none.
async fn reap(group: Pid) {
    use rustix::process::{WaitOptions, waitpgid};
    // An error is that there are no more.
    while let Ok(ended) = waitpgid(group, WaitOptions::NOHANG) {
        if ended.is_none() {
            sleep(REAPED_EACH).await;
        }
    }
}
