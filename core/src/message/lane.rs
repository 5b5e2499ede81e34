//! Priority lanes.

use serde::{Deserialize, Serialize};

/// The priority of a message. Higher lanes get more turns; none starves.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Most turns.
    High,
    /// The default.
    #[default]
    Normal,
    /// Fewest turns, but always some.
    Low,
}

impl Lane {
    /// All lanes, highest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// The number stores keep: 0 high, 1 normal, 2 low.
    pub const fn number(self) -> u8 {
        match self {
            Self::High => 0,
            Self::Normal => 1,
            Self::Low => 2,
        }
    }

    /// The lane with this stored number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::High),
            1 => Some(Self::Normal),
            2 => Some(Self::Low),
            _ => None,
        }
    }

    /// The lane that goes first at a turn; the others follow in their usual order. A turn is a
    /// message: however many a receive takes, the lanes get the same shares.
    ///
    /// Of each 16 turns high leads 11, normal 4 and low 1: with every lane full, the low lane
    /// still moves at least once in 16 messages.
    pub const fn first_at(turn: u64) -> Self {
        match turn % 16 {
            15 => Self::Low,
            3 | 7 | 11 | 13 => Self::Normal,
            _ => Self::High,
        }
    }

    /// How many of the next `count` messages, from `turn` on, each lane leads: high, normal, low.
    /// Where a lane has fewer the others take what is left, in their usual order.
    pub fn shares_at(turn: u64, count: usize) -> [usize; 3] {
        // Whole rounds of 16 have the same shares wherever they begin.
        let rounds = count / 16;
        let mut shares = [11 * rounds, 4 * rounds, rounds];
        for step in 0..(count % 16) as u64 {
            shares[usize::from(Self::first_at(turn.wrapping_add(step)).number())] += 1;
        }
        shares
    }

    /// Divides `count` messages among lanes that have so many: each gets its share of the turns,
    /// and what it does not use goes to the others, higher ones first.
    pub fn divide(turn: u64, count: usize, there: [usize; 3]) -> [usize; 3] {
        let shares = Self::shares_at(turn, count);
        let mut given = [0, 1, 2].map(|lane| shares[lane].min(there[lane]));
        let mut left = count - given.iter().sum::<usize>();
        for lane in 0..3 {
            let more = (there[lane] - given[lane]).min(left);
            given[lane] += more;
            left -= more;
        }
        given
    }

    /// The lanes in the order they are served at a turn.
    pub fn order_at(turn: u64) -> [Self; 3] {
        match Self::first_at(turn) {
            Self::High => [Self::High, Self::Normal, Self::Low],
            Self::Normal => [Self::Normal, Self::High, Self::Low],
            Self::Low => [Self::Low, Self::High, Self::Normal],
        }
    }

    /// `high`, `normal` or `low`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_turns_one_by_one() {
        for turn in 0..40 {
            for count in 0..50 {
                let mut counted = [0; 3];
                for step in 0..count as u64 {
                    counted[usize::from(Lane::first_at(turn + step).number())] += 1;
                }
                assert_eq!(Lane::shares_at(turn, count), counted, "{turn} {count}");
            }
        }
    }

    #[test]
    fn what_a_lane_does_not_use_goes_to_the_others_higher_ones_first() {
        assert_eq!(Lane::divide(0, 16, [99, 99, 99]), [11, 4, 1]);
        assert_eq!(Lane::divide(0, 16, [99, 0, 99]), [15, 0, 1]);
        assert_eq!(Lane::divide(0, 16, [2, 99, 99]), [2, 13, 1]);
        assert_eq!(Lane::divide(0, 16, [0, 0, 5]), [0, 0, 5]);
        assert_eq!(Lane::divide(15, 1, [9, 9, 9]), [0, 0, 1]);
    }
}
