//! What a store keeps of a queue beside its messages: settings, numbers, why it stands still.

pub(crate) mod pause;
pub(crate) mod settings;
pub(crate) mod stats;
pub(crate) mod stuck;
