//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(15);

/// Looks until `look` answers something.
///
/// # Panics
///
/// When that takes longer than `deadline`; the text says what was waited for.
pub fn until_some<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            start.elapsed() < deadline,
            "waited {deadline:?} in vain: {what}"
        );
        pause();
    }
}

/// Looks until `look` is true.
///
/// # Panics
///
/// When that takes longer than `deadline`; the text says what was waited for.
pub fn until(what: &str, deadline: Duration, mut look: impl FnMut() -> bool) {
    until_some(what, deadline, || look().then_some(()));
}

#[expect(
    clippy::disallowed_methods,
    reason = "other processes send no signal that could be awaited; this paces the looks"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}
