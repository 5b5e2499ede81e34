//! Settings of a queue that are kept in the store.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::StoreLimits;

/// What happens to a message that expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OnExpired {
    /// It goes to the dead letters with reason `expired`.
    #[default]
    Dead,
    /// It is discarded.
    Discard,
}

/// What happens to a group when a member dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OnGroupDead {
    /// The next member goes on.
    #[default]
    Continue,
    /// The group is held until the dead member is redriven or discarded.
    Park,
}

/// The settings of a queue. `None` means the default. Kept by the store, obeyed by everyone,
/// cached for at most 5 s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct QueueSettings {
    /// Messages without an expiry of their own expire after this long. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
    /// The greatest body in bytes. Default: the store's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_max: Option<u64>,
    /// The most live messages (waiting, delayed and leased). Default: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth_max: Option<u64>,
    /// Default: continue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_group_dead: Option<OnGroupDead>,
    /// Default: dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_expired: Option<OnExpired>,
    /// How long after the ack a given id is recognised. Default 10 min.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_window_ms: Option<u64>,
    /// A dead letter older than this is discarded by a worker of the queue, unless it holds its
    /// group. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_keep_ms: Option<u64>,
    /// Who set what: key to author, so that a change by another can be told.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub authors: std::collections::BTreeMap<String, String>,
}

impl QueueSettings {
    /// How long a given id is recognised after its ack, where nothing is set.
    pub const ID_WINDOW_DEFAULT: Duration = Duration::from_secs(600);

    /// When messages of this queue expire after their enqueue.
    pub fn expires(&self) -> Option<Duration> {
        self.expires_ms.map(Duration::from_millis)
    }

    /// How long a given id is recognised after its ack.
    pub fn id_window(&self) -> Duration {
        self.id_window_ms
            .map_or(Self::ID_WINDOW_DEFAULT, Duration::from_millis)
    }

    /// How long dead letters are kept, if not forever.
    pub fn dead_keep(&self) -> Option<Duration> {
        self.dead_keep_ms.map(Duration::from_millis)
    }

    /// The greatest body this queue takes in a store of these limits.
    pub fn body_bytes_max(&self, limits: &StoreLimits) -> usize {
        let wanted = self.body_max.and_then(|max| usize::try_from(max).ok());
        wanted
            .unwrap_or(limits.body_bytes_default)
            .min(limits.body_bytes_max)
    }

    /// Applies a change and says what another author's values it replaced.
    pub fn apply(&mut self, change: &SettingsChange) -> Vec<Overridden> {
        let mut replaced = Vec::new();
        let mut record = |key: &'static str, before: Option<String>, now: &str| {
            let author = self.authors.insert(key.to_owned(), change.author.clone());
            if let (Some(before), Some(author)) = (before, author)
                && author != change.author
                && before != now
            {
                replaced.push(Overridden {
                    key,
                    before,
                    author,
                    now: now.to_owned(),
                });
            }
        };
        macro_rules! set {
            ($($key:ident),*) => {$(
                if let Some(value) = &change.$key {
                    let before = self.$key.as_ref().map(shown);
                    record(stringify!($key), before, &shown(value));
                    self.$key = Some(value.clone());
                }
            )*};
        }
        set!(
            expires_ms,
            body_max,
            depth_max,
            on_group_dead,
            on_expired,
            id_window_ms,
            dead_keep_ms
        );
        replaced
    }
}

fn shown<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value)
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned()
}

/// Settings to set; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// Who sets them: a file or a person, named in warnings.
    pub author: String,
    /// See [`QueueSettings::expires_ms`].
    pub expires_ms: Option<u64>,
    /// See [`QueueSettings::body_max`].
    pub body_max: Option<u64>,
    /// See [`QueueSettings::depth_max`].
    pub depth_max: Option<u64>,
    /// See [`QueueSettings::on_group_dead`].
    pub on_group_dead: Option<OnGroupDead>,
    /// See [`QueueSettings::on_expired`].
    pub on_expired: Option<OnExpired>,
    /// See [`QueueSettings::id_window_ms`].
    pub id_window_ms: Option<u64>,
    /// See [`QueueSettings::dead_keep_ms`].
    pub dead_keep_ms: Option<u64>,
}

/// What a configure did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Configured {
    /// The settings as they are now.
    pub settings: QueueSettings,
    /// Values of another author that were replaced by different ones.
    pub overridden: Vec<Overridden>,
}

impl Configured {
    /// An answer.
    pub fn new(settings: QueueSettings, overridden: Vec<Overridden>) -> Self {
        Self {
            settings,
            overridden,
        }
    }
}

/// A setting of another author that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overridden {
    /// Which setting.
    pub key: &'static str,
    /// What it was.
    pub before: String,
    /// Who had set it.
    pub author: String,
    /// What it is now.
    pub now: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_writer_wins_and_the_other_author_is_named() {
        let mut settings = QueueSettings::default();
        let change = |author: &str, depth| SettingsChange {
            author: author.into(),
            depth_max: Some(depth),
            ..SettingsChange::default()
        };
        assert!(settings.apply(&change("a.toml", 5)).is_empty());
        assert!(
            settings.apply(&change("a.toml", 6)).is_empty(),
            "its own value"
        );
        assert!(
            settings.apply(&change("b.toml", 6)).is_empty(),
            "the same value"
        );
        let replaced = settings.apply(&change("c.toml", 7));
        assert_eq!(replaced.len(), 1);
        assert_eq!(
            (replaced[0].author.as_str(), replaced[0].before.as_str()),
            ("b.toml", "6")
        );
        assert_eq!(settings.depth_max, Some(7));
    }
}
