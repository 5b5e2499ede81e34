//! How far a bench is, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What a bench is doing. Shown on stderr where that is a terminal, else nothing.
#[derive(Debug)]
pub(crate) struct Steps(ProgressBar);

impl Steps {
    /// Nothing to do yet; `quiet` hides it.
    pub(crate) fn new(quiet: bool) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed:>4} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// There are this many steps more.
    pub(crate) fn plan(&self, more: u64) {
        self.0.inc_length(more);
    }

    /// The next step begins.
    pub(crate) fn next(&self, what: impl Into<String>) {
        if !self.0.message().is_empty() {
            self.0.inc(1);
        }
        self.0.set_message(what.into());
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
