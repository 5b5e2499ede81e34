//! The deliveries of each job, in the order in which they began.

use std::collections::BTreeMap;

use super::Violation;
use crate::{Effect, History, Moment};

/// What is known of a job while its lines are read.
#[derive(Default)]
struct Job<'a> {
    /// The last start, and whether its end was seen.
    last: Option<(&'a Effect, bool)>,
    attempt_max: u32,
}

/// Attempts grow by one delivery each, and only a kill explains a delivery that vanished.
///
/// Jobs of these histories never fail, so each attempt beyond the first stands for a delivery
/// that ended without a settle.
pub(super) fn judge(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut jobs: BTreeMap<u64, Job<'_>> = BTreeMap::new();
    for effect in history.effects.all() {
        let job = jobs.entry(effect.key).or_default();
        match effect.moment {
            Moment::Start => start(history, job, effect, &mut found),
            Moment::End => end(job, effect, &mut found),
        }
    }
    charges(history, &jobs, &mut found);
    found
}

fn start<'a>(history: &History, job: &mut Job<'a>, effect: &'a Effect, found: &mut Vec<Violation>) {
    if let Some((before, is_finished)) = job.last {
        let key = effect.key;
        if effect.attempt == before.attempt {
            found.push(Violation::RepeatedAttempt(key, effect.attempt));
        } else if effect.attempt < before.attempt {
            found.push(Violation::FallingAttempt(key, effect.attempt));
        }
        if !history.killed.contains(&before.life) {
            let life = before.life.clone();
            found.push(if is_finished {
                Violation::Redelivered(key, life)
            } else {
                Violation::Overlap(key, life)
            });
        }
    }
    job.last = Some((effect, false));
    job.attempt_max = job.attempt_max.max(effect.attempt);
}

fn end(job: &mut Job<'_>, effect: &Effect, found: &mut Vec<Violation>) {
    match &mut job.last {
        Some((start, is_finished)) if start.life == effect.life && !*is_finished => {
            *is_finished = true;
        }
        _ => found.push(Violation::EndWithoutStart(effect.key, effect.life.clone())),
    }
}

/// A crash charges every message that the process had leased, once.
fn charges(history: &History, jobs: &BTreeMap<u64, Job<'_>>, found: &mut Vec<Violation>) {
    let kills = history.killed.len() as u64;
    let mut charged = 0;
    for (key, job) in jobs {
        let vanished = u64::from(job.attempt_max.saturating_sub(1));
        charged += vanished;
        if vanished > kills {
            found.push(Violation::Overcharged(*key, job.attempt_max));
        }
    }
    if charged > kills * u64::from(history.leased_max) {
        found.push(Violation::OverchargedInAll(charged));
    }
}
