//! One command at work: its options and the store it is for.

use longshore::Connection;
use longshore::core::{Backend, OpenOptions, QueueName, QueueStats, StoreErrorKind, nearest};

use crate::args::GlobalArgs;
use crate::error::{CliError, Result};
use crate::output;
use crate::settings::StoreSetting;

/// What all verbs share.
#[derive(Debug)]
pub(crate) struct Session {
    global: GlobalArgs,
}

impl Session {
    /// A session with these options.
    pub(crate) fn new(global: GlobalArgs) -> Self {
        Self { global }
    }

    /// The options of every verb.
    pub(crate) fn global(&self) -> &GlobalArgs {
        &self.global
    }

    /// Whether data is printed as JSON.
    pub(crate) fn json(&self) -> bool {
        self.global.json
    }

    /// Whether only errors are told.
    pub(crate) fn quiet(&self) -> bool {
        self.global.quiet
    }

    /// Prints a remark, unless `-q` silences it.
    pub(crate) fn note(&self, sentence: impl std::fmt::Display) {
        output::note(self.quiet(), sentence);
    }

    /// Which store is meant.
    pub(crate) fn store(&self) -> Result<StoreSetting> {
        StoreSetting::find(&self.global)
    }

    /// Opens the store that is there; a missing one is not created.
    pub(crate) async fn open(&self) -> Result<Connection> {
        open(&self.store()?, false).await
    }

    /// Opens the store, creating what is missing.
    pub(crate) async fn open_or_create(&self) -> Result<Connection> {
        self.open_for_work(&self.store()?).await
    }

    /// Opens this store, creating what is missing.
    pub(crate) async fn open_for_work(&self, setting: &StoreSetting) -> Result<Connection> {
        let connection = open(setting, true).await?;
        if connection.url().scheme() == "memory" {
            self.note("a memory:// store ends with this command; use sqlite:// to keep messages");
        }
        Ok(connection)
    }
}

/// Opens a store; every error says where its URL comes from.
pub(crate) async fn open(setting: &StoreSetting, create: bool) -> Result<Connection> {
    let mut options = OpenOptions::default();
    options.create = create;
    let opened = longshore::registry()
        .open(&setting.url, options.clone())
        .await;
    let backend = opened.map_err(|error| match error.kind() {
        StoreErrorKind::NotFound => CliError::nothing_matched(format!(
            "the store {} does not exist; the first `longshore enqueue` or `longshore run` \
             creates it, or name another with --store",
            setting.url
        )),
        StoreErrorKind::Misconfigured => CliError::from(error).while_doing(&setting.source),
        _ => CliError::from(error).while_doing(format_args!("the store {}", setting.url)),
    })?;
    Ok(Connection::of(setting.url.clone(), backend, &options))
}

/// The numbers of a queue that must exist; a missing one is named with its nearest neighbour.
pub(crate) async fn existing(backend: &Backend, queue: &QueueName) -> Result<QueueStats> {
    if let Some(stats) = backend.admin.stats(queue).await? {
        return Ok(stats);
    }
    let some = std::num::NonZeroU32::new(1000).unwrap_or(std::num::NonZeroU32::MIN);
    let known = backend.admin.queues(None, some).await?.items;
    let hint = match nearest(queue.as_str(), known.iter().map(QueueName::as_str)) {
        Some(near) => format!("did you mean \"{near}\"? A"),
        None => "a".to_owned(),
    };
    Err(CliError::nothing_matched(format!(
        "there is no queue \"{queue}\"; {hint} queue exists from its first message, setting or pause"
    )))
}
