//! How many messages to ask for at once.

use std::num::NonZeroU32;

use crate::{Content, StoredMessage};

/// The first page is small: nobody knows yet how large bodies are.
const FIRST: u32 = 8;
/// No page has more messages,
const MESSAGES_MAX: u32 = 500;
/// nor, as far as the page before it tells, more bytes of bodies.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// The size of the next page of a walk over messages, so that what is in memory is bounded by
/// bytes and not by rows.
#[derive(Clone, Copy, Debug)]
pub struct PageSize(u32);

impl Default for PageSize {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl PageSize {
    /// How many to ask for.
    pub fn get(self) -> NonZeroU32 {
        NonZeroU32::new(self.0).unwrap_or(NonZeroU32::MIN)
    }

    /// Takes note of a page: the next one may have up to four times as many, if they fit.
    pub fn saw(&mut self, page: &[StoredMessage]) {
        let largest = page.iter().map(body_bytes).max().unwrap_or(0);
        let fitting = BYTES_MAX / largest.max(1);
        let most = self.0.saturating_mul(4).min(MESSAGES_MAX);
        self.0 = u32::try_from(fitting).unwrap_or(most).clamp(1, most);
    }
}

fn body_bytes(stored: &StoredMessage) -> usize {
    match &stored.content {
        Content::Intact(message) => message.body.len(),
        Content::Damaged { body, .. } => body.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IdOrigin, JobKind, MessageId, NewMessage, Timestamp};

    fn page(body: usize) -> Vec<StoredMessage> {
        let id = MessageId::from_uuid(uuid::Uuid::nil());
        let new = NewMessage::new(id, IdOrigin::Fresh, JobKind::default(), vec![0; body]);
        let message = new.stored_at(Timestamp::from_millis(0), None);
        vec![StoredMessage::waiting(message)]
    }

    #[test]
    fn pages_grow_while_bodies_are_small_and_shrink_at_once() {
        let mut size = PageSize::default();
        let mut sizes = vec![size.get().get()];
        for body in [10, 10, 10, 10, 1 << 20, 20 << 20, 10] {
            size.saw(&page(body));
            sizes.push(size.get().get());
        }
        assert_eq!(sizes, [8, 32, 128, 500, 500, 8, 1, 4]);
    }
}
