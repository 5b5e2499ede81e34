//! That nothing begins while another worker has its lease.

use std::collections::BTreeSet;

use super::Violation;
use crate::{Effects, LeasedStart, Moment};

/// Times are whole milliseconds of two programs.
const ROUNDING_MS: i64 = 5;

/// Every start that lies inside the lease of the delivery before it, of which no end was seen. What
/// extensions have added to that lease does not matter: it ended no sooner.
pub fn inside_leases(starts: &[LeasedStart], effects: &Effects) -> Vec<Violation> {
    let ended: BTreeSet<(u64, u32)> = effects
        .all()
        .iter()
        .filter(|line| line.moment == Moment::End)
        .map(|line| (line.key, line.attempt))
        .collect();
    let mut starts = starts.to_vec();
    starts.sort();
    let pairs = starts.windows(2).map(|pair| (&pair[0], &pair[1]));
    pairs
        .filter(|(before, next)| before.key == next.key)
        .filter(|(before, _)| !ended.contains(&(before.key, before.attempt)))
        .filter(|(before, next)| next.at + ROUNDING_MS < before.until)
        .map(|(before, next)| {
            Violation::InsideLease(next.key, next.attempt, before.until - next.at)
        })
        .collect()
}
