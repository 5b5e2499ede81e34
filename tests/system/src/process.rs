//! A process that a test starts, signals and outlives.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::{Place, binary, until_some};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        let signal = status.signal().map(Self::Signal);
        signal.unwrap_or_else(|| Self::Code(status.code().unwrap_or(-1)))
    }
}

/// A running process; it is killed when the test lets go of it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts a program of this workspace in the test's folder, without standard input, its
    /// output kept there.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start<S: AsRef<OsStr>>(
        place: &Place,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(binary(program));
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(place, program, command)
    }

    /// Starts any command.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn spawn(place: &Place, name: &str, mut command: Command) -> Self {
        let output = place.next_output(name);
        let file = File::create(&output).expect("the output of a process can be kept");
        let errors = file.try_clone().expect("a file has a second handle");
        let command = command.current_dir(place.folder()).stdin(Stdio::null());
        let child = command.stdout(file).stderr(errors).spawn();
        let child = child.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { child, output }
    }

    /// Ends it at once, as `kill -9` does, and waits until it is gone.
    ///
    /// # Panics
    ///
    /// When it cannot be awaited.
    pub fn kill(&mut self) -> Ending {
        self.signal(Signal::KILL);
        self.child.wait().expect("a child can be awaited").into()
    }

    /// Sends a signal; one that has ended already is left alone.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            let pid = Pid::from_child(&self.child);
            kill_process(pid, signal).expect("a child can be signalled");
        }
    }

    /// Stops it as SIGSTOP does, and waits until all its threads stand still.
    ///
    /// # Panics
    ///
    /// When it ended meanwhile.
    pub fn stop(&mut self) {
        self.signal(Signal::STOP);
        let pid = Pid::from_child(&self.child);
        let changed = waitpid(Some(pid), WaitOptions::UNTRACED).expect("a child can be awaited");
        let is_stopped = changed.is_some_and(|(_, status)| status.stopped());
        assert!(is_stopped, "it ended instead: {}", self.output());
    }

    /// How it ended, if it did.
    ///
    /// # Panics
    ///
    /// When it cannot be asked.
    pub fn ended(&mut self) -> Option<Ending> {
        let status = self.child.try_wait().expect("a child can be asked");
        status.map(Ending::from)
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    ///
    /// When it takes longer than `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> Ending {
        let what = format!("the end of {}", self.output.display());
        until_some(&what, deadline, || self.ended())
    }

    /// What it printed so far.
    pub fn output(&self) -> String {
        let bytes = fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
