//! What looking at files and storing what is in them share.

use std::sync::Arc;

use longshore_core::NewMessage;
use tokio_util::sync::CancellationToken;

use crate::intake::held::Held;
use crate::intake::listing::Found;
use crate::intake::record::Record;
use crate::intake::status::FeedStatus;
use crate::intake::stop::Stop;
use crate::load::read::plain;
use crate::model::route::{Glob, Route};
use longshore::Connection;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// What feeding needs.
#[derive(Debug)]
pub(super) struct Feeding {
    pub(super) route: Arc<Route>,
    pub(super) glob: Glob,
    /// Whether files are deleted once stored.
    pub(super) deletes: bool,
    pub(super) connection: Connection,
    pub(super) scope: String,
    /// Whether it ends when all there is has been stored.
    pub(super) finite: bool,
    pub(super) stop: CancellationToken,
    pub(super) status: Arc<FeedStatus>,
}

/// How a look at one file ended.
pub(super) enum Look {
    /// All of it is stored.
    AtEnd,
    /// Something of it has to wait: it is being written.
    Waits,
    /// It could not be read, in words.
    Unreadable(String),
}

impl Feeding {
    /// The greatest body that the queue takes.
    pub(super) async fn body_max(&self) -> Result<usize, Stop> {
        let backend = self.connection.backend();
        let settings = backend.admin.settings(&self.route.queue).await?;
        Ok(settings.body_bytes_max(&backend.queues.limits()))
    }

    /// The day by the store's clock: what is remembered is saved again on each.
    pub(super) fn today(&self) -> i64 {
        self.connection.clock().now().as_millis() / DAY_MS
    }

    /// Remembers how far a file is stored.
    pub(super) async fn save(
        &self,
        held: &mut Held,
        key: &str,
        record: &mut Record,
    ) -> Result<(), Stop> {
        held.keep().await?;
        record.day = self.today();
        held.save(key.to_owned(), record).await
    }
}

/// Says where a message came from, in headers of the user.
pub(super) fn name_file(message: &mut NewMessage, found: &Found) {
    let name = found.path.file_name().unwrap_or_default().to_string_lossy();
    let path = header_text(&found.name);
    message.headers.insert("file_name", header_text(&name));
    message.headers.insert("file_path", path);
}

/// Text that a header can hold: a file may be named anything.
fn header_text(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_control()).collect();
    let mut end = kept.len().min(longshore_core::Headers::VALUE_BYTES_MAX);
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    kept[..end].to_owned()
}

/// Does blocking work on a file off the runtime's threads; an error in words.
pub(super) async fn blocking<T: Send + 'static>(
    found: &Found,
    work: impl FnOnce(Found) -> std::io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let at = found.clone();
    let done = tokio::task::spawn_blocking(move || work(at)).await;
    done.unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|error| format!("{} cannot be read: {}", found.name, plain(&error)))
}
