//! Paging through messages. A cursor is the place of the last item, with a letter for the call.

use std::num::NonZeroU32;
use std::ops::Bound;

use longshore_core::{
    Cursor, MessageId, MessageState, Page, QueueName, Result, StoreError, StoredMessage, Timestamp,
};

use crate::schema::{Data, DeadPlace, Place, Queue};

impl Data {
    /// The queues by name.
    pub(crate) fn page_queues(
        &self,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<QueueName>> {
        let after = after
            .map(|cursor| {
                let name = cursor.as_str().strip_prefix("q:").unwrap_or_default();
                QueueName::new(name).map_err(|_| malformed("queues"))
            })
            .transpose()?;
        let names = self.queues.range((bound(after), Bound::Unbounded));
        let names = names.map(|(name, _)| name.clone());
        Ok(page(names, max, |name| format!("q:{name}")))
    }
}

impl Queue {
    /// Live messages in queue order.
    pub(crate) fn page_live(
        &self,
        after: Option<Place>,
        max: NonZeroU32,
        now: Timestamp,
    ) -> Page<StoredMessage> {
        let places = self.order.range((bound(after), Bound::Unbounded));
        cut(
            places.filter_map(|place| self.view_at(place, live_cursor("p", place), now)),
            max,
        )
    }

    /// Dead letters, oldest first.
    pub(crate) fn page_dead(
        &self,
        after: Option<DeadPlace>,
        max: NonZeroU32,
    ) -> Page<StoredMessage> {
        cut(self.dead_views(after, "d"), max)
    }

    /// Everything but leased messages, live ones first.
    pub(crate) fn page_all(
        &self,
        after: Option<&AllPlace>,
        max: NonZeroU32,
        now: Timestamp,
    ) -> Page<StoredMessage> {
        let (live_after, dead_after) = match after {
            None => (Some(None), None),
            Some(AllPlace::Live(place)) => (Some(Some(*place)), None),
            Some(AllPlace::Dead(place)) => (None, Some(*place)),
        };
        let live = live_after.into_iter().flat_map(|after| {
            let places = self.order.range((bound(after), Bound::Unbounded));
            places.filter_map(move |place| {
                let state = self.live.get(&place.id)?.state;
                if state.is_in_hands(now) {
                    return None;
                }
                self.view_at(place, live_cursor("l", place), now)
            })
        });
        cut(live.chain(self.dead_views(dead_after, "e")), max)
    }

    fn view_at(
        &self,
        place: &Place,
        cursor: String,
        now: Timestamp,
    ) -> Option<(StoredMessage, String)> {
        let row = self.live.get(&place.id)?;
        Some((row.view(row.state.shown(now)), cursor))
    }

    fn dead_views(
        &self,
        after: Option<DeadPlace>,
        letter: &'static str,
    ) -> impl Iterator<Item = (StoredMessage, String)> {
        let dead = self.dead.range((bound(after), Bound::Unbounded));
        dead.map(move |(place, dead)| {
            let cursor = format!("{letter}:{}:{}", place.dead_at.as_millis(), place.sequence);
            (dead.row.view(MessageState::Dead(dead.mark.clone())), cursor)
        })
    }
}

/// Where a page of everything ended.
pub(crate) enum AllPlace {
    Live(Place),
    Dead(DeadPlace),
}

/// The place in a cursor of `peek`.
pub(crate) fn live_place(cursor: &Cursor, letter: &str, call: &'static str) -> Result<Place> {
    let [at, sequence, id] = parts(cursor, letter).ok_or_else(|| malformed(call))?;
    let id = id.parse::<MessageId>().map_err(|_| malformed(call))?;
    Ok(Place {
        at: millis(at, call)?,
        sequence: sequence.parse().map_err(|_| malformed(call))?,
        id,
    })
}

/// The place in a cursor of `dead_letters`.
pub(crate) fn dead_place(cursor: &Cursor, letter: &str, call: &'static str) -> Result<DeadPlace> {
    let [dead_at, sequence] = parts(cursor, letter).ok_or_else(|| malformed(call))?;
    Ok(DeadPlace {
        dead_at: millis(dead_at, call)?,
        sequence: sequence.parse().map_err(|_| malformed(call))?,
    })
}

/// The place in a cursor of `export`.
pub(crate) fn all_place(cursor: &Cursor) -> Result<AllPlace> {
    if cursor.as_str().starts_with('l') {
        return live_place(cursor, "l", "export").map(AllPlace::Live);
    }
    dead_place(cursor, "e", "export").map(AllPlace::Dead)
}

fn live_cursor(letter: &str, place: &Place) -> String {
    let at = place.at.as_millis();
    format!("{letter}:{at}:{}:{}", place.sequence, place.id)
}

fn parts<'a, const N: usize>(cursor: &'a Cursor, letter: &str) -> Option<[&'a str; N]> {
    let (first, rest) = cursor.as_str().split_once(':')?;
    let parts: Vec<&str> = rest.split(':').collect();
    (first == letter).then_some(parts)?.try_into().ok()
}

fn millis(text: &str, call: &'static str) -> Result<Timestamp> {
    let millis = text.parse::<i64>().map_err(|_| malformed(call))?;
    Ok(Timestamp::from_millis(millis))
}

fn malformed(call: &'static str) -> StoreError {
    StoreError::invalid_input(
        call,
        "invalid cursor: not issued by this call; start again without one",
    )
}

fn bound<T>(after: Option<T>) -> Bound<T> {
    after.map_or(Bound::Unbounded, Bound::Excluded)
}

fn page<T>(items: impl Iterator<Item = T>, max: NonZeroU32, cursor: fn(&T) -> String) -> Page<T> {
    cut(
        items.map(|item| {
            let cursor = cursor(&item);
            (item, cursor)
        }),
        max,
    )
}

/// The first `max` items; there is a cursor only if more follow.
fn cut<T>(items: impl Iterator<Item = (T, String)>, max: NonZeroU32) -> Page<T> {
    let mut items = items.peekable();
    let (kept, mut cursors): (Vec<T>, Vec<String>) =
        items.by_ref().take(max.get() as usize).unzip();
    let more = items.peek().is_some();
    Page {
        items: kept,
        next: cursors.pop().filter(|_| more).map(Cursor::new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_place_or_refused_fuzzed() {
        let id = "018f3e5a-7c1d-7000-8000-000000000001";
        let samples = [
            format!("p:-9:8:{id}"),
            format!("l:1:2:{id}"),
            "d:3:4".to_owned(),
        ];
        let samples = samples.map(String::into_bytes);
        longshore_fuzz::fuzz("memory-cursor", &samples, |input| {
            let cursor = Cursor::new(String::from_utf8_lossy(input));
            let live = live_place(&cursor, "p", "peek").ok();
            if let Some(place) = live {
                let again = Cursor::new(live_cursor("p", &place));
                assert_eq!(live_place(&again, "p", "peek").ok(), Some(place));
            }
            let dead = dead_place(&cursor, "d", "dead_letters").is_ok();
            format!("{} {dead} {}", live.is_some(), all_place(&cursor).is_ok())
        });
    }
}
