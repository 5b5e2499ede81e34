//! Walking over a queue page by page.

use longshore_core::{Cursor, PageSize, Result, StoredMessage};

use super::Place;

/// The pages of one list of a queue.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    from: &'a Place,
    list: List,
    at: At,
    size: PageSize,
}

#[derive(Clone, Copy, Debug)]
enum List {
    Live,
    Dead,
}

#[derive(Debug)]
enum At {
    Start,
    After(Cursor),
    End,
}

impl<'a> Pages<'a> {
    /// The live messages, those with a worker among them.
    pub(super) fn of_live(from: &'a Place) -> Self {
        Self::of(from, List::Live)
    }

    /// The dead letters.
    pub(super) fn of_dead(from: &'a Place) -> Self {
        Self::of(from, List::Dead)
    }

    fn of(from: &'a Place, list: List) -> Self {
        Self {
            from,
            list,
            at: At::Start,
            size: PageSize::default(),
        }
    }

    /// The next page; `None` behind the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<StoredMessage>>> {
        let after = match &self.at {
            At::Start => None,
            At::After(cursor) => Some(cursor),
            At::End => return Ok(None),
        };
        let (admin, queue) = (&self.from.backend.admin, &self.from.queue);
        let page = match self.list {
            List::Live => admin.peek(queue, after, self.size.get()).await?,
            List::Dead => admin.dead_letters(queue, after, self.size.get()).await?,
        };
        self.size.saw(&page.items);
        self.at = page.next.map_or(At::End, At::After);
        Ok(Some(page.items))
    }
}
