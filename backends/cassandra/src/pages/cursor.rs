//! Where the items of a list stand, and the cursors that say so.

use longshore_core::{Cursor, Result, StoreError, Timestamp};
use uuid::Uuid;

use crate::protocol::storage::Position;
use crate::shard::entry::Place;
use crate::shard::index::DeadPlace;
use crate::shard::load::beyond_window::BeyondWindow;

/// Where an item stands in a list of everything. What is in memory goes before what lies behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stand {
    Live(Place),
    /// Behind the memory of a shard.
    BeyondLive(i32, BeyondWindow),
    Dead(DeadPlace),
    BeyondDead(i32, BeyondWindow),
}

/// Which messages a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// Live ones.
    Peek,
    /// Dead ones.
    Dead,
    /// Everything but what a worker has.
    Export,
}

impl List {
    fn letter(self) -> char {
        match self {
            Self::Peek => 'p',
            Self::Dead => 'd',
            Self::Export => 'e',
        }
    }

    fn call(self) -> &'static str {
        match self {
            Self::Peek => "peek",
            Self::Dead => "dead_letters",
            Self::Export => "export",
        }
    }

    pub(crate) fn has_live(self) -> bool {
        self != Self::Dead
    }

    pub(crate) fn has_dead(self) -> bool {
        self != Self::Peek
    }

    /// Reads a cursor of this list.
    pub(crate) fn stand(self, cursor: &Cursor) -> Result<Stand> {
        self.read(cursor.as_str())
            .ok_or_else(|| malformed(self.call()))
    }

    fn read(self, text: &str) -> Option<Stand> {
        let rest = text.strip_prefix(self.letter())?;
        let parts: Vec<_> = rest.split(':').collect();
        let stand = match *parts.as_slice() {
            ["l", at, sequence, id] => Stand::Live(Place {
                at_ms: at.parse().ok()?,
                sequence: sequence.parse().ok()?,
                id: id.parse().ok()?,
            }),
            ["d", at, sequence, id] => Stand::Dead((
                Timestamp::from_millis(at.parse().ok()?),
                sequence.parse().ok()?,
                id.parse().ok()?,
            )),
            [list @ ("m" | "e"), shard, kind, bucket, pos, id] => {
                let at = BeyondWindow {
                    kind: kind.parse().ok()?,
                    bucket: bucket.parse().ok()?,
                    position: Position {
                        pos: pos.parse().ok()?,
                        id: id.parse::<Uuid>().ok()?,
                    },
                };
                let shard = shard.parse().ok()?;
                if list == "m" {
                    Stand::BeyondLive(shard, at)
                } else {
                    Stand::BeyondDead(shard, at)
                }
            }
            _ => return None,
        };
        let fits = match stand {
            Stand::Live(_) | Stand::BeyondLive(..) => self.has_live(),
            Stand::Dead(_) | Stand::BeyondDead(..) => self.has_dead(),
        };
        fits.then_some(stand)
    }

    pub(crate) fn cursor(self, stand: &Stand) -> Cursor {
        let list = self.letter();
        let beyond = |letter: char, shard: i32, at: &BeyondWindow| {
            let BeyondWindow {
                kind,
                bucket,
                position,
            } = at;
            format!(
                "{list}{letter}:{shard}:{kind}:{bucket}:{}:{}",
                position.pos, position.id
            )
        };
        Cursor::new(match stand {
            Stand::Live(place) => {
                format!("{list}l:{}:{}:{}", place.at_ms, place.sequence, place.id)
            }
            Stand::Dead((at, sequence, id)) => {
                format!("{list}d:{}:{sequence}:{id}", at.as_millis())
            }
            Stand::BeyondLive(shard, at) => beyond('m', *shard, at),
            Stand::BeyondDead(shard, at) => beyond('e', *shard, at),
        })
    }
}

pub(crate) fn malformed(call: &'static str) -> StoreError {
    StoreError::invalid_input(
        call,
        "invalid cursor: not issued by this call; start again without one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_stand_or_refused_fuzzed() {
        let id = Uuid::from_u128(77);
        let samples = [
            format!("pl:-5:8:{id}"),
            format!("ed:3:4:{id}"),
            format!("pm:2:1:-4:-9:{id}"),
            format!("de:3:1:4:9:{id}"),
        ];
        let samples = samples.map(String::into_bytes);
        longshore_fuzz::fuzz("cassandra-cursor", &samples, |input| {
            let cursor = Cursor::new(String::from_utf8_lossy(input));
            let read = [List::Peek, List::Dead, List::Export].map(|list| {
                let stand = list.stand(&cursor).ok()?;
                assert_eq!(list.stand(&list.cursor(&stand)).ok(), Some(stand));
                Some(std::mem::discriminant(&stand))
            });
            format!("{read:?}")
        });
    }

    #[test]
    fn cursors_are_read_back_by_their_list_alone() {
        let id = Uuid::from_u128(77);
        let at = BeyondWindow {
            kind: 1,
            bucket: -4,
            position: Position { pos: -9, id },
        };
        let place = Place {
            at_ms: -5,
            sequence: 8,
            id,
        };
        let dead = (Timestamp::from_millis(3), 4, id);
        let stands = [
            Stand::Live(place),
            Stand::BeyondLive(2, at),
            Stand::Dead(dead),
            Stand::BeyondDead(3, at),
        ];
        for stand in stands {
            let cursor = List::Export.cursor(&stand);
            assert_eq!(List::Export.stand(&cursor).ok(), Some(stand));
            assert!(List::Peek.stand(&cursor).is_err(), "{cursor:?}");
            assert!(List::Dead.stand(&cursor).is_err(), "{cursor:?}");
        }
        assert!(List::Peek.stand(&List::Dead.cursor(&stands[2])).is_err());
        let dead = Cursor::new(format!("pd:3:4:{id}"));
        assert!(List::Peek.stand(&dead).is_err());
    }
}
