//! Waiting for what no signal tells of.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// A test that waits this long waits in vain; a machine under load is not judged.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until `look` answers something.
///
/// # Panics
///
/// When that takes half a minute; the text says what was waited for.
pub async fn until_some<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Looks until `holds` is true.
///
/// # Panics
///
/// As [`until_some`].
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    until_some(what, || {
        let looked = holds();
        async { looked.await.then_some(()) }
    })
    .await;
}
