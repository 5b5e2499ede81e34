//! Reading on beside the work: the next page is read while others hand out what is in memory.

use std::sync::Arc;

use longshore_core::{Result, Timestamp};

use crate::protocol::storage::Storage;
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::load::page::{BucketPage, Until, Want};

/// What to read, and what was known of its bucket by then.
#[derive(Debug)]
pub(crate) struct PageRequest {
    want: Want,
    is_final: bool,
    told: u64,
    /// While it lives nobody else reads ahead. It also tells one memory of a shard from the next.
    token: Arc<()>,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Prefetched {
    asked: PageRequest,
    page: BucketPage,
}

impl PageRequest {
    /// Reads. The shard may do anything meanwhile.
    pub(crate) async fn read(self, storage: &dyn Storage) -> Result<Prefetched> {
        let page = self.want.read(storage).await?;
        Ok(Prefetched { asked: self, page })
    }
}

impl Shard {
    /// What to read on, unless that is under way.
    pub(crate) fn ahead(&mut self, now: Timestamp) -> Option<PageRequest> {
        if self.ahead.strong_count() > 0 {
            return None;
        }
        let mut wants = Vec::new();
        for kind in stream_kind::PRIORITIES {
            if self.wants(kind, now) {
                self.want_next(kind, 1, now, &mut wants);
            }
        }
        wants.retain(|want| !self.known_entry(want.bucket).under_lock);
        let want = wants.into_iter().next()?;
        let token = Arc::new(());
        self.ahead = Arc::downgrade(&token);
        Some(PageRequest {
            want,
            is_final: self.known_entry(want.bucket).is_final,
            told: self.told,
            token,
        })
    }

    /// Adds what was read beside the work, unless it may differ from the rows by now. Answers
    /// whether it was added.
    pub(crate) async fn ingest_prefetched(
        &mut self,
        read: Prefetched,
        now: Timestamp,
    ) -> Result<bool> {
        let Prefetched { asked, mut page } = read;
        let (told, is_same) = (self.told, self.is_reading(&asked.token));
        let Some(known) = self.known_bucket(page.bucket) else {
            return Ok(false);
        };
        let is_next = known.next == asked.want.from && known.is_final == asked.is_final;
        if !is_same || !is_next || known.under_lock || told != asked.told {
            return Ok(false);
        }
        if page.until == Until::End && !known.is_final {
            // More may have come behind it meanwhile: its end is read under the lock.
            page.until = Until::More;
            known.under_lock = true;
        }
        let done = self.ingest(vec![page], now).await;
        self.is_stale |= done.is_err();
        done.map(|()| true)
    }

    /// Whether this memory asked for what was read.
    fn is_reading(&self, token: &Arc<()>) -> bool {
        std::ptr::eq(self.ahead.as_ptr(), Arc::as_ptr(token))
    }
}
