//! A folder with a store in it, and the binary.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// An empty folder; commands run in it and find their store by the default URL.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The binary with nothing of this environment that it would look at.
    pub(crate) fn command(&self) -> Command {
        command_in(self.folder.path())
    }

    /// Another program, in the same place and environment.
    pub(crate) fn command_of(&self, program: &str) -> Command {
        program_in(program, self.folder.path())
    }

    /// Runs a line of shell.
    pub(crate) fn shell(&self, line: &str) -> Ended {
        let output = self.command_of("sh").args(["-c", line]).output().unwrap();
        Ended::of(output)
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ended {
        self.feed(args, b"")
    }

    /// Runs with this on stdin.
    pub(crate) fn feed<S: AsRef<OsStr>>(&self, args: &[S], input: &[u8]) -> Ended {
        let child = self.start(args);
        finish(child, input)
    }

    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: &[S]) -> Child {
        self.start_into(args, Stdio::piped())
    }

    /// Starts it with this as its standard output.
    pub(crate) fn start_into<S: AsRef<OsStr>>(
        &self,
        args: &[S],
        stdout: impl Into<Stdio>,
    ) -> Child {
        self.command()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs what must end with 0 and reads the one JSON document it prints.
    pub(crate) fn json<S: AsRef<OsStr>>(&self, args: &[S]) -> Value {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.json()
    }

    /// Stores a message and answers its id.
    pub(crate) fn enqueue(&self, args: &[&str]) -> String {
        let mut all = vec!["enqueue"];
        all.extend(args);
        let ended = self.run(&all);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.text().trim().to_owned()
    }

    /// Receives one message and answers it.
    pub(crate) fn receive(&self, queue: &str) -> Value {
        self.json(&["receive", queue, "--max", "1", "--json"])[0].take()
    }

    /// Receives one message and answers its receipt.
    pub(crate) fn receipt(&self, queue: &str) -> String {
        self.receive(queue)["receipt"].as_str().unwrap().to_owned()
    }

    /// Makes a dead letter of a new message and answers its id.
    pub(crate) fn dead_letter(&self, queue: &str, body: &str, reason: &str) -> String {
        let id = self.enqueue(&[queue, body]);
        let receipt = self.receipt(queue);
        let ended = self.run(&["settle", "dead-letter", &receipt, "--reason", reason]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        id
    }

    /// The numbers of a queue.
    pub(crate) fn queue(&self, name: &str) -> Value {
        self.json(&["queues", name, "--json"])[0].take()
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

pub(crate) fn send(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

pub(crate) fn command_in(folder: &Path) -> Command {
    program_in(env!("CARGO_BIN_EXE_longshore"), folder)
}

fn program_in(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for name in [
        "LONGSHORE_STORE",
        "LONGSHORE_STORE_FILE",
        "LONGSHORE_CONFIG",
        "LONGSHORE_LOG",
        "LONGSHORE_LOG_FORMAT",
    ] {
        command.env_remove(name);
    }
    command
}

/// Gives it the input and waits for its end.
pub(crate) fn finish(mut child: Child, input: &[u8]) -> Ended {
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A thread of its own: the binary may write before it has read everything.
    let feeder = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Ended::of(output)
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self {
            code: output.status.code(),
            stdout: output.stdout,
            stderr,
        }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Checks the exit code, and that stderr is one plain sentence that holds `part`.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, part: &str) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        assert!(self.stderr.starts_with("longshore: "), "{}", self.stderr);
        assert!(
            self.stderr.contains(part),
            "{:?} is not in {}",
            part,
            self.stderr
        );
        let debug = ["Error {", "Some(", "Err(", "Custom {", "src/", "\u{1b}"];
        for dump in debug {
            assert!(!self.stderr.contains(dump), "{}", self.stderr);
        }
    }
}
