//! The numbers that rows keep: states and flags.

use longshore_core::{IdOrigin, Lane, Message};

/// Constants, each with its number as text for the statements: those are put together when the
/// program is compiled.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: i64 = $number;)*

        /// The number of a constant of this file, for `concat!`.
        macro_rules! number {
            $(($name) => { stringify!($number) };)*
        }
        pub(crate) use number;
    };
}

numbers! {
    /// Ready in the high lane; the other lanes follow.
    READY = 10;
    /// Ready in the low lane.
    READY_LOW = 12;
    /// In a worker's hands.
    LEASED = 13;
    /// Delivered before (or released with a due time), due later; keeps the head of its group.
    BACKOFF = 14;
    /// Of a newer version, looked at again later.
    SET_ASIDE = 15;
    /// Dead and holding its group.
    PARKED = 16;
    /// Never delivered, due later; not yet in its group.
    DELAYED = 20;
    /// Due, behind another member of its group.
    BEHIND = 21;
    /// Dead.
    DEAD = 30;

    /// The id was given by the caller.
    GIVEN = 1;
    /// There is a detail row.
    DETAIL = 2;
    /// There is a dedup key.
    DEDUP = 4;
}

const _: () = assert!(READY_LOW == READY + 2, "one for each lane");

const LANE_SHIFT: i64 = 3;

/// The ready state of a lane.
pub(crate) fn ready(lane: Lane) -> i64 {
    READY + i64::from(lane.number())
}

/// The ready state of a row with these flags.
pub(crate) fn ready_of(flags: i64) -> i64 {
    READY + ((flags >> LANE_SHIFT) & 3)
}

/// The flags of a lane.
pub(crate) fn lane_flags(lane: Lane) -> i64 {
    i64::from(lane.number()) << LANE_SHIFT
}

/// The flags of a message that has no detail.
pub(crate) fn flags(message: &Message) -> i64 {
    let mut flags = lane_flags(message.lane);
    if message.id_origin == IdOrigin::Given {
        flags |= GIVEN;
    }
    if message.dedup.is_some() {
        flags |= DEDUP;
    }
    flags
}

/// Whether the state is one of the dead ones.
pub(crate) fn is_dead(state: i64) -> bool {
    state == DEAD || state == PARKED
}

/// Which number of the queue a row in this state is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// `waiting`
    Waiting,
    /// `delayed`
    Delayed,
    /// `leased`
    Leased,
    /// `dead`
    Dead,
}

impl Count {
    /// The count of a state.
    pub(crate) fn of(state: i64) -> Self {
        match state {
            LEASED => Self::Leased,
            BACKOFF | DELAYED => Self::Delayed,
            PARKED | DEAD => Self::Dead,
            _ => Self::Waiting,
        }
    }
}
