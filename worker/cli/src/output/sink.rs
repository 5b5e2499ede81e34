//! The one way to stderr: a thread of its own writes.
//!
//! The reader of stderr may be slow, stuck or gone, and the disk behind it full. None of that may
//! hold up a job or its settlement, so a task hands its line over without waiting. What does
//! not fit is counted, and the count is written once the reader goes on.

use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::escape;
use crate::progress::above_bar;

/// Maximum lines that wait.
const LINES_MAX: usize = 4096;
/// Maximum bytes that wait.
const BYTES_MAX: usize = 4 << 20;
/// At its end the process waits this long for a reader that takes nothing.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often that is looked at.
const LOOK_EACH: Duration = Duration::from_millis(20);

/// Where lines are handed over; `None` where no thread could be started.
static SINK: OnceLock<Option<Sink>> = OnceLock::new();

#[derive(Debug)]
struct Sink {
    lines: SyncSender<Vec<u8>>,
    state: Arc<State>,
}

/// What both sides count.
#[derive(Debug, Default)]
struct State {
    /// Bytes that were handed over and are not written.
    waiting: AtomicUsize,
    /// Lines that were dropped and not yet told of.
    lost: AtomicU64,
    /// Grows with all that is written.
    written: AtomicU64,
}

/// Stderr for code that wants a writer. Each write is one piece of text, taken as a whole or not at
/// all; it never waits and never fails.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        hand_over(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stderr for log lines: what strangers wrote into them cannot turn words around on a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogLines {
    /// Whether each line is a JSON document.
    pub(crate) json: bool,
}

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Control characters are escaped where the line is made; ASCII holds no others.
        if bytes.is_ascii() {
            return Stderr.write(bytes);
        }
        let text = String::from_utf8_lossy(bytes);
        let shown = if self.json {
            escape::json(&text)
        } else {
            escape::invisible(&text)
        };
        hand_over(shown.into_bytes());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hand_over(line: Vec<u8>) {
    let Some(sink) = SINK.get_or_init(Sink::start) else {
        // Without a thread this is all that can be done.
        let _ = io::stderr().write_all(&line);
        return;
    };
    let length = line.len();
    let waiting = sink.state.waiting.fetch_add(length, Ordering::AcqRel);
    let is_taken = waiting + length <= BYTES_MAX
        && match sink.lines.try_send(line) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        };
    if !is_taken {
        sink.state.waiting.fetch_sub(length, Ordering::AcqRel);
        sink.state.lost.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until all that was handed over is written, or until nothing moves any more.
pub(crate) fn flush() {
    let Some(Some(sink)) = SINK.get() else {
        return;
    };
    let (mut seen, mut moved) = (0, Instant::now());
    while sink.state.waiting.load(Ordering::Acquire) > 0 && moved.elapsed() < PATIENCE {
        let written = sink.state.written.load(Ordering::Relaxed);
        if written != seen {
            (seen, moved) = (written, Instant::now());
        }
        thread::park_timeout(LOOK_EACH.min(moved.elapsed() + Duration::from_millis(1)));
    }
}

impl Sink {
    fn start() -> Option<Self> {
        let (lines, taken) = mpsc::sync_channel(LINES_MAX);
        let state = Arc::new(State::default());
        let shared = state.clone();
        thread::Builder::new()
            .name("stderr".into())
            .spawn(move || write_all(&taken, &shared))
            .ok()
            .map(|_| Self { lines, state })
    }
}

fn write_all(lines: &Receiver<Vec<u8>>, state: &State) {
    for line in lines {
        let written = above_bar(|| write(&line, state));
        if !written {
            state.lost.fetch_add(1, Ordering::Relaxed);
        } else if let lost @ 1.. = state.lost.swap(0, Ordering::Relaxed) {
            let told = format!(
                "longshore: {lost} lines were not written here: nobody read them, or there was no room\n"
            );
            if !above_bar(|| write(told.as_bytes(), state)) {
                state.lost.fetch_add(lost, Ordering::Relaxed);
            }
        }
        state.waiting.fetch_sub(line.len(), Ordering::AcqRel);
    }
}

/// Writes a line; `false` if there is nobody to read it, or no room for it.
fn write(mut line: &[u8], state: &State) -> bool {
    let mut stderr = io::stderr().lock();
    while !line.is_empty() {
        match stderr.write(line) {
            Ok(0) => return false,
            Ok(taken) => {
                line = &line[taken..];
                state.written.fetch_add(taken as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A process that shares the pipe or terminal made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut ready = [PollFd::from_borrowed_fd(stderr.as_fd(), PollFlags::OUT)];
                if poll(&mut ready, None).is_err_and(|error| error != rustix::io::Errno::INTR) {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
    true
}
