//! Progress of long operations, on a terminal only.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// The bar that is on the terminal now, for others that write there.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Runs what writes to stderr; a bar that is there steps aside.
pub(crate) fn above_bar<T>(write: impl FnOnce() -> T) -> T {
    let bar = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// A bar on stderr, or nothing where stderr is no terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Progress towards `total`, or a count without an end.
    pub(crate) fn new(quiet: bool, what: &'static str, total: Option<u64>) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let template = match total {
            Some(_) => "{msg} {wide_bar} {human_pos}/{human_len}, {rate}, {eta} left",
            None => "{spinner} {msg} {human_pos}, {rate}, {elapsed}",
        };
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::new_spinner(),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", rate));
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self(bar)
    }

    /// Counts `done` more.
    pub(crate) fn advance(&self, done: u64) {
        self.0.inc(done);
    }

    /// Shows that `done` are done in all.
    pub(crate) fn set(&self, done: u64) {
        self.0.set_position(done);
    }
}

/// A rate per second, without the digits that nobody reads.
fn rate(state: &ProgressState, text: &mut dyn fmt::Write) {
    let _ = write!(text, "{:.0}/s", state.per_sec());
}

impl Drop for Progress {
    fn drop(&mut self) {
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.finish_and_clear();
    }
}
