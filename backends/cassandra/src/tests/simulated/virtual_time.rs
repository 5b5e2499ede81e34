//! Time that passes when everybody waits.

use std::future::Future;

use tokio::runtime::Builder;

/// Runs to the end on one thread, with a clock that jumps to the next timer.
pub(super) fn in_virtual_time<T>(run: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(run)
}
