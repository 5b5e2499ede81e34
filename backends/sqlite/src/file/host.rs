//! What a store takes from the host it runs on.

use std::time::Duration;

use crate::file::space::RoomProbe;

/// The disk and the pace of looking; replaced in tests.
#[derive(Clone, Debug)]
pub struct Host {
    /// How full the disk is.
    pub room: RoomProbe,
    /// Without a bell, receivers that sleep look again after this long. Default 1 s.
    pub look_again: Duration,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            room: RoomProbe::default(),
            look_again: Duration::from_secs(1),
        }
    }
}
