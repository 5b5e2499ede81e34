//! Where a part goes.

use crate::{AggregateRules, CompletedBy, Epoch, LateParts, OpenEpoch, Timestamp, WhenFull};

/// What is known of the key of a part.
#[derive(Clone, Copy, Debug)]
pub struct KeyState<'a> {
    /// The open epoch, with the rules that hold for it.
    pub open: Option<(OpenEpoch, &'a AggregateRules)>,
    /// Whether an epoch of it was closed and is still remembered.
    pub was_closed: bool,
    /// The number that a new epoch gets: greater than any before.
    pub next: Epoch,
}

/// Where a part goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The open epoch closes by this, without the part.
    pub closes: Option<CompletedBy>,
    /// What becomes of the part.
    pub goes: Goes,
}

/// What becomes of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// Into this epoch, which is so from then on.
    Into {
        /// The epoch with the part in it.
        open: OpenEpoch,
        /// Whether the part opens it.
        is_new: bool,
        /// The part completes it by this.
        completes: Option<CompletedBy>,
    },
    /// Into an epoch of its own, which is closed at once.
    Aside {
        /// That epoch.
        epoch: Epoch,
        /// Why.
        by: CompletedBy,
        /// Whether it is to be a dead letter; otherwise it is dropped and counted.
        is_kept: bool,
    },
}

/// Decides where a part of `bytes` bytes goes that comes at `now` under `rules`. Its id is not
/// known yet.
///
/// An epoch whose time is over is closed first, whether or not anybody looked at it: so it does
/// not matter when a worker looks.
pub fn place(
    rules: &AggregateRules,
    key: KeyState<'_>,
    bytes: u64,
    closing: bool,
    now: Timestamp,
) -> Placed {
    let mut closes = None;
    let mut open = key.open;
    if let Some((epoch, its_rules)) = open
        && let Some(by) = epoch.due_by(its_rules, now)
    {
        (closes, open) = (Some(by), None);
    }
    let aside = |closes, by, is_kept| Placed {
        closes,
        goes: Goes::Aside {
            epoch: key.next,
            by,
            is_kept,
        },
    };
    let is_late = open.is_none() && (key.was_closed || closes.is_some());
    match rules.late {
        LateParts::Drop if is_late => return aside(closes, CompletedBy::Late, false),
        LateParts::Dead if is_late => return aside(closes, CompletedBy::Late, true),
        _ => {}
    }
    if let Some((epoch, its_rules)) = open
        && !fits(&epoch, its_rules, bytes)
    {
        match its_rules.full {
            WhenFull::Close => (closes, open) = (Some(CompletedBy::Full), None),
            // It is set aside, and what it says is heard.
            WhenFull::Refuse => {
                let closes = closing.then_some(CompletedBy::Closing);
                return aside(closes, CompletedBy::Full, true);
            }
        }
    }
    let is_new = open.is_none();
    let (epoch, its_rules) = open.unwrap_or_else(|| (opened(key.next, rules, now), rules));
    let (open, completes) = joined(epoch, its_rules, bytes, closing, now);
    let goes = Goes::Into {
        open,
        is_new,
        completes,
    };
    Placed { closes, goes }
}

/// Whether an epoch can hold a part of so many bytes.
fn fits(epoch: &OpenEpoch, rules: &AggregateRules, bytes: u64) -> bool {
    epoch.parts < rules.parts_max && epoch.bytes.saturating_add(bytes) <= rules.bytes_max()
}

/// An epoch with a part more, and what that completes.
fn joined(
    mut epoch: OpenEpoch,
    rules: &AggregateRules,
    bytes: u64,
    closing: bool,
    now: Timestamp,
) -> (OpenEpoch, Option<CompletedBy>) {
    epoch.parts += 1;
    epoch.bytes = epoch.bytes.saturating_add(bytes);
    epoch.last = now;
    let completes = completes(&epoch, rules, closing);
    if completes.is_none() && epoch.asks && epoch.ask_at.is_none() {
        epoch.ask_at = Some(now);
    }
    (epoch, completes)
}

fn opened(epoch: Epoch, rules: &AggregateRules, now: Timestamp) -> OpenEpoch {
    OpenEpoch {
        epoch,
        parts: 0,
        bytes: 0,
        opened: now,
        last: now,
        ask_at: None,
        asks: rules.predicate.is_some(),
    }
}

fn completes(open: &OpenEpoch, rules: &AggregateRules, closing: bool) -> Option<CompletedBy> {
    if closing {
        Some(CompletedBy::Closing)
    } else if rules.size.is_some_and(|size| open.parts >= size) {
        Some(CompletedBy::Size)
    } else if rules.bytes.is_some_and(|bytes| open.bytes >= bytes) {
        Some(CompletedBy::Bytes)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn open(parts: u32, opened: i64, last: i64) -> OpenEpoch {
        OpenEpoch {
            epoch: Epoch::new(5),
            parts,
            bytes: u64::from(parts) * 10,
            opened: at(opened),
            last: at(last),
            ask_at: None,
            asks: false,
        }
    }

    fn state(open: Option<(OpenEpoch, &AggregateRules)>, was_closed: bool) -> KeyState<'_> {
        KeyState {
            open,
            was_closed,
            next: Epoch::new(100),
        }
    }

    #[test]
    fn a_part_that_comes_after_the_end_is_not_in_the_epoch_that_ended() {
        let rules = AggregateRules {
            idle_ms: Some(100),
            ..AggregateRules::default()
        };
        let placed = place(
            &rules,
            state(Some((open(3, 0, 0), &rules)), false),
            1,
            false,
            at(100),
        );
        assert_eq!(placed.closes, Some(CompletedBy::Idle));
        let Goes::Into { open, is_new, .. } = placed.goes else {
            panic!("{placed:?}");
        };
        assert!(is_new && open.parts == 1 && open.epoch == Epoch::new(100));
    }

    #[test]
    fn late_parts_go_by_the_rule_of_the_part() {
        let rules = |late| AggregateRules {
            size: Some(2),
            late,
            ..AggregateRules::default()
        };
        let goes = |late| place(&rules(late), state(None, true), 1, false, at(7)).goes;
        assert!(matches!(
            goes(LateParts::Open),
            Goes::Into { is_new: true, .. }
        ));
        let aside = |is_kept| Goes::Aside {
            epoch: Epoch::new(100),
            by: CompletedBy::Late,
            is_kept,
        };
        assert_eq!(goes(LateParts::Drop), aside(false));
        assert_eq!(goes(LateParts::Dead), aside(true));
    }

    #[test]
    fn what_does_not_fit_closes_the_epoch_or_is_set_aside() {
        let mut rules = AggregateRules {
            closing: true,
            parts_max: 2,
            bytes_max: Some(25),
            ..AggregateRules::default()
        };
        let with = |rules: &AggregateRules, parts, bytes, closing| {
            place(
                rules,
                state(Some((open(parts, 0, 0), rules)), false),
                bytes,
                closing,
                at(9),
            )
        };
        assert_eq!(with(&rules, 1, 15, false).closes, None);
        assert_eq!(with(&rules, 1, 16, false).closes, Some(CompletedBy::Full));
        assert_eq!(with(&rules, 2, 1, false).closes, Some(CompletedBy::Full));
        rules.full = WhenFull::Refuse;
        let refused = with(&rules, 2, 1, false);
        assert_eq!(refused.closes, None);
        assert!(matches!(refused.goes, Goes::Aside { is_kept: true, .. }));
        assert_eq!(with(&rules, 2, 1, true).closes, Some(CompletedBy::Closing));
    }

    #[test]
    fn the_rules_of_an_open_epoch_hold_for_it() {
        let old = AggregateRules {
            size: Some(2),
            ..AggregateRules::default()
        };
        let new = AggregateRules {
            size: Some(9),
            ..AggregateRules::default()
        };
        let placed = place(
            &new,
            state(Some((open(1, 0, 0), &old)), false),
            1,
            false,
            at(9),
        );
        let Goes::Into { completes, .. } = placed.goes else {
            panic!("{placed:?}");
        };
        assert_eq!(completes, Some(CompletedBy::Size));
    }

    #[test]
    fn a_predicate_is_asked_after_each_part_but_once_at_a_time() {
        let rules = AggregateRules {
            predicate: Some("x".into()),
            ..AggregateRules::default()
        };
        let joined = |epoch: OpenEpoch| {
            let placed = place(&rules, state(Some((epoch, &rules)), false), 1, false, at(9));
            let Goes::Into { open, .. } = placed.goes else {
                panic!("{placed:?}");
            };
            open.ask_at
        };
        let mut epoch = open(1, 0, 0);
        assert_eq!(joined(epoch), None, "it failed before");
        epoch.asks = true;
        assert_eq!(joined(epoch), Some(at(9)));
        epoch.ask_at = Some(at(60));
        assert_eq!(joined(epoch), Some(at(60)));
        assert_eq!(epoch.look_at(&rules), Some(at(60)));
    }
}
