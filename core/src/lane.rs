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

    /// The lane that goes first at a turn; the others follow in their usual order.
    ///
    /// Of each 16 turns high leads 11, normal 4 and low 1: with every lane full, the low lane
    /// still moves at least once in 16 receives.
    pub const fn first_at(turn: u64) -> Self {
        match turn % 16 {
            15 => Self::Low,
            3 | 7 | 11 | 13 => Self::Normal,
            _ => Self::High,
        }
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
