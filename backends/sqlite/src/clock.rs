//! The time of this store.

pub(crate) mod boot;
pub(crate) mod moment;

use std::sync::{OnceLock, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_core::{Clock, StepListener, Timestamp, Uptime};
use uuid::Uuid;

/// The clock of the host: SQLite has no other, and all processes of a file share one host.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where this store reads the clock of the host"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn uptime(&self) -> Option<Uptime> {
        static BOOT: OnceLock<Option<Uuid>> = OnceLock::new();
        let boot = (*BOOT.get_or_init(this_boot))?;
        Some(Uptime {
            boot,
            elapsed: since_boot()?,
        })
    }

    fn on_step(&self, _listener: Weak<dyn StepListener>) {}
}

/// Which boot of the host this is; `None` where the time since it is not the same for all of its
/// processes, as in a time namespace.
#[cfg(target_os = "linux")]
fn this_boot() -> Option<Uuid> {
    let offsets = std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
    let is_moved = |line: &str| {
        let mut words = line.split_whitespace();
        words.next() == Some("boottime") && words.any(|word| word != "0")
    };
    if offsets.lines().any(is_moved) {
        return None;
    }
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Uuid::try_parse(id.trim()).ok()
}

#[cfg(target_os = "linux")]
fn since_boot() -> Option<std::time::Duration> {
    rustix::time::clock_gettime(rustix::time::ClockId::Boottime)
        .try_into()
        .ok()
}

#[cfg(not(target_os = "linux"))]
fn this_boot() -> Option<Uuid> {
    None
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Option<std::time::Duration> {
    None
}
