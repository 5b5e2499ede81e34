//! `[queue."…"]`: settings that the store keeps.

use std::ops::Range;

use longshore_core::{OnExpired, OnGroupDead, QueueName, SettingsChange};

use crate::ConfigError;
use crate::load::read::{Document, Node};
use crate::model::set::QueueEntry;

/// The settings of a queue; their author is the file.
pub(super) fn entry(
    document: &Document,
    name: &str,
    span: &Range<usize>,
    node: &Node,
) -> Result<QueueEntry, ConfigError> {
    let queue = QueueName::new(name).map_err(|error| document.error(span, error.to_string()))?;
    let millis = |key| node.duration(key).map(|span| span.as_millis() as u64);
    let change = SettingsChange {
        author: document.path.display().to_string(),
        expires_ms: millis("expires"),
        body_max: node.whole("body_max"),
        depth_max: node.whole("depth_max"),
        on_group_dead: node.text("on_group_dead").map(|word| match word {
            "park" => OnGroupDead::Park,
            _ => OnGroupDead::Continue,
        }),
        on_expired: node.text("on_expired").map(|word| match word {
            "discard" => OnExpired::Discard,
            _ => OnExpired::Dead,
        }),
        id_window_ms: millis("id_window"),
        dead_keep_ms: millis("dead_keep"),
    };
    Ok(QueueEntry { queue, change })
}
