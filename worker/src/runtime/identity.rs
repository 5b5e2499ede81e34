//! Who a worker is.

use std::sync::Arc;

use longshore_core::Timestamp;

/// The identity of one start of a worker.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// Host (or the name it was given), process and a random part.
    pub(crate) id: Arc<str>,
    pub(crate) host: String,
    pub(crate) pid: u32,
    pub(crate) started_at: Timestamp,
}

/// Records hold the identity; a longer name would be refused there.
const NAME_CHARS_MAX: usize = 100;

impl Identity {
    pub(crate) fn new(name: Option<&str>, started_at: Timestamp) -> Self {
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let pid = std::process::id();
        let name: String = name
            .unwrap_or(&host)
            .chars()
            .filter(|c| !c.is_control())
            .take(NAME_CHARS_MAX)
            .collect();
        let random = fastrand::u32(..);
        Self {
            id: format!("{name}-{pid}-{random:08x}").into(),
            host,
            pid,
            started_at,
        }
    }
}
