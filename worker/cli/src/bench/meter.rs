//! What a process measures about itself.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// A moment of the clock that never steps and is the same in every process of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(u64);

impl Moment {
    /// The moment now.
    pub(crate) fn now() -> Self {
        Self(nanos(ClockId::Monotonic))
    }

    /// This moment and `span` more.
    pub(crate) fn plus(self, span: Duration) -> Self {
        Self(self.0 + u64::try_from(span.as_nanos()).unwrap_or(u64::MAX / 2))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// From when to when something ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    /// When it began.
    pub start: Moment,
    /// When its last effect was there.
    pub end: Moment,
}

impl Span {
    /// From the first start to the last end.
    pub(crate) fn cover(spans: impl IntoIterator<Item = Self>) -> Option<Duration> {
        let joined = spans.into_iter().reduce(|a, b| Self {
            start: a.start.min(b.start),
            end: a.end.max(b.end),
        });
        joined.map(|span| span.end.since(span.start))
    }
}

/// The processor time this process has used.
pub(crate) fn processor_time() -> Duration {
    Duration::from_nanos(nanos(ClockId::ProcessCPUTime))
}

/// The most memory this process had resident, in bytes; `None` where the system does not tell.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// How many tasks wanted a processor, on average over the last minute; `None` where the system
/// does not tell.
pub(crate) fn load() -> Option<f64> {
    let averages = std::fs::read_to_string("/proc/loadavg").ok()?;
    averages.split_whitespace().next()?.parse().ok()
}

/// The name of the file system that holds `path`, or its number where the name is not known
/// here. What an fsync costs, and whether it does anything, is decided there.
#[cfg(target_os = "linux")]
pub(crate) fn file_system(path: &std::path::Path) -> Option<String> {
    let number = rustix::fs::statfs(path).ok()?.f_type as u64;
    let name = match number {
        0xef53 => "ext4",
        0x0102_1994 => "tmpfs",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x794c_7630 => "overlayfs",
        0x2fc1_2fc1 => "zfs",
        _ => return Some(format!("{number:#x}")),
    };
    Some(name.to_owned())
}

/// The name of the file system that holds `path`: not known on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn file_system(_: &std::path::Path) -> Option<String> {
    None
}

fn nanos(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_processor_time_and_memory() {
        let (start, before) = (Moment::now(), processor_time());
        let mut kept = vec![0u8; 16 << 20];
        for (at, byte) in kept.iter_mut().enumerate() {
            *byte = std::hint::black_box(at) as u8;
        }
        assert!(processor_time() > before);
        assert!(Moment::now() > start);
        if let Some(peak) = peak_memory() {
            assert!(peak > 16 << 20, "{peak}");
        }
        drop(std::hint::black_box(kept));
    }
}
