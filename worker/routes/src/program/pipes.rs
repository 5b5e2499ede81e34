//! What a program prints.

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Notify;

/// How much of the end of stderr is kept.
const STDERR_KEPT: usize = 2048;

/// Keeps one byte more than `max`, and says so.
pub(super) async fn keep(
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

/// Keeps the end, and passes all of it on.
pub(super) async fn tail(
    pipe: Option<impl AsyncRead + Unpin>,
    kept: &mut Vec<u8>,
    pass_on: &(dyn Fn(&[u8]) + Send + Sync),
) {
    let Some(mut pipe) = pipe else {
        return;
    };
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        pass_on(&buffer[..read]);
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 2 * STDERR_KEPT {
            kept.drain(..kept.len() - STDERR_KEPT);
        }
    }
    let extra = kept.len().saturating_sub(STDERR_KEPT);
    kept.drain(..extra);
}

/// Passes all of it on, and keeps nothing.
pub(super) async fn pass_on(
    pipe: Option<impl AsyncRead + Unpin>,
    tell: &(dyn Fn(&[u8]) + Send + Sync),
) {
    let Some(mut pipe) = pipe else {
        return;
    };
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        tell(&buffer[..read]);
    }
}
