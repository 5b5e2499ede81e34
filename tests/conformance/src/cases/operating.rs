//! What operators do.

pub(super) mod admin;
pub(super) mod changes;
pub(super) mod check;
pub(super) mod cursors;
pub(super) mod dead_letters;
pub(super) mod deleting;
pub(super) mod export_adopt;
pub(super) mod held_queues;
pub(super) mod moving;
pub(super) mod pause;
pub(super) mod redrive;
pub(super) mod settings;
