//! Where pages of parts and epochs end: the same cursors on every store.

use crate::{
    AggregateKey, Cursor, Epoch, EpochInfo, EpochState, MessageId, Result, StoreError, Timestamp,
};

/// The last part of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartPlace {
    /// Its position.
    pub position: Timestamp,
    /// Its id.
    pub id: MessageId,
}

impl PartPlace {
    /// The cursor of this place.
    pub fn cursor(self) -> Cursor {
        Cursor::new(format!("{} {}", self.position.as_millis(), self.id))
    }

    /// The place of a cursor; `InvalidInput` where it is none of a page of parts.
    pub fn of(cursor: &Cursor) -> Result<Self> {
        let read = cursor.as_str().split_once(' ').and_then(|(at, id)| {
            Some(Self {
                position: Timestamp::from_millis(at.parse().ok()?),
                id: id.parse().ok()?,
            })
        });
        read.ok_or_else(|| not_issued("parts"))
    }
}

/// The last epoch of a page: open ones come first, by key, then closed ones by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EpochPlace {
    /// The open epoch of a key.
    Open(AggregateKey),
    /// A closed epoch.
    Closed(Epoch),
}

impl From<&EpochInfo> for EpochPlace {
    fn from(info: &EpochInfo) -> Self {
        match info.state {
            EpochState::Open { .. } => Self::Open(info.key.clone()),
            EpochState::Closed { .. } => Self::Closed(info.epoch),
        }
    }
}

impl EpochPlace {
    /// The cursor of this place.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(match self {
            Self::Open(key) => format!("o {key}"),
            Self::Closed(epoch) => format!("c {epoch}"),
        })
    }

    /// The place of a cursor; `InvalidInput` where it is none of a page of epochs.
    pub fn of(cursor: &Cursor) -> Result<Self> {
        let read = match cursor.as_str().split_once(' ') {
            Some(("o", key)) => AggregateKey::new(key).ok().map(Self::Open),
            Some(("c", number)) => {
                let number = number.parse().ok();
                number.map(|number| Self::Closed(Epoch::new(number)))
            }
            _ => None,
        };
        read.ok_or_else(|| not_issued("epochs"))
    }
}

fn not_issued(operation: &'static str) -> StoreError {
    let said = "invalid cursor: not issued by this call; start again without one";
    StoreError::invalid_input(operation, said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back_and_others_refused() {
        let part = PartPlace {
            position: Timestamp::from_millis(7),
            id: MessageId::from_content(&[b"x"]),
        };
        assert_eq!(PartPlace::of(&part.cursor()).unwrap(), part);
        let key = AggregateKey::new("a b").unwrap();
        for place in [EpochPlace::Open(key), EpochPlace::Closed(Epoch::new(9))] {
            assert_eq!(EpochPlace::of(&place.cursor()).unwrap(), place);
        }
        for bad in ["", "o", "o ", "c x", "x 1", "7", "7 x"] {
            let cursor = Cursor::new(bad);
            assert!(PartPlace::of(&cursor).is_err(), "{bad}");
            assert!(EpochPlace::of(&cursor).is_err(), "{bad}");
        }
    }
}
