//! The checker: what must hold whatever was killed when.

mod deliveries;
mod fates;
mod groups;
mod leases;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::leases::inside_leases;
use crate::History;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    /// It was stored, and no handler finished it, and it is nowhere.
    Lost(u64),
    /// A handler or the store has what nobody tried to store.
    Phantom(u64),
    /// It is in the queue and among the dead, or more than once among the dead.
    Twofold(u64),
    /// Two deliveries of one attempt began.
    RepeatedAttempt(u64, u32),
    /// An attempt began after a later one.
    FallingAttempt(u64, u32),
    /// Another delivery began while a handler that nobody killed was at work.
    Overlap(u64, String),
    /// It was delivered again after a handler had finished in a process that nobody killed.
    Redelivered(u64, String),
    /// It was charged more attempts than kills can explain.
    Overcharged(u64, u32),
    /// All messages together were charged more than the kills can explain.
    OverchargedInAll(u64),
    /// A member of a group began before the one in front of it was finished, or after one behind
    /// it.
    GroupOrder(u64, u64),
    /// An attempt began so many milliseconds before the lease of the one before it ended.
    InsideLease(u64, u32, i64),
    /// A handler finished what it never began.
    EndWithoutStart(u64, String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(key) => write!(f, "job {key} was stored and is lost"),
            Self::Phantom(key) => write!(f, "job {key} was never enqueued"),
            Self::Twofold(key) => write!(f, "job {key} is in two places"),
            Self::RepeatedAttempt(key, attempt) => {
                write!(f, "attempt {attempt} of job {key} began twice")
            }
            Self::FallingAttempt(key, attempt) => {
                write!(f, "attempt {attempt} of job {key} began after a later one")
            }
            Self::Overlap(key, life) => {
                write!(f, "job {key} was handed on while {life} was at it")
            }
            Self::Redelivered(key, life) => {
                write!(f, "job {key} was handed on after {life} had finished it")
            }
            Self::Overcharged(key, attempt) => {
                write!(
                    f,
                    "job {key} came to attempt {attempt}, more than the kills explain"
                )
            }
            Self::OverchargedInAll(charged) => {
                write!(
                    f,
                    "{charged} deliveries vanished, more than the kills explain"
                )
            }
            Self::GroupOrder(group, key) => {
                write!(f, "job {key} of group {group} began out of turn")
            }
            Self::InsideLease(key, attempt, early) => {
                write!(
                    f,
                    "attempt {attempt} of job {key} began {early} ms inside the lease before it"
                )
            }
            Self::EndWithoutStart(key, life) => {
                write!(f, "{life} finished job {key} without having begun it")
            }
        }
    }
}

/// Every broken promise of a history, in order.
pub fn judge(history: &History) -> Vec<Violation> {
    let mut found = fates::judge(history);
    found.extend(deliveries::judge(history));
    found.extend(groups::judge(history));
    found.sort();
    found.dedup();
    found
}
