//! What operators do, in short form.

use longshore_core::{
    Changed, Due, MessageId, MovingMark, Pause, Result, SettingsChange, Timestamp,
};

use crate::Stage;

impl Stage {
    pub(crate) async fn configure(&self, change: SettingsChange) {
        let admin = &self.store.admin;
        let configured = admin.configure(&self.queue, &change).await;
        configured.expect("configure");
    }

    pub(crate) async fn pause(&self) {
        let pause = Pause {
            author: "operator".to_owned(),
            reason: "a test".to_owned(),
            since: Timestamp::EPOCH,
        };
        let paused = self.store.admin.pause(&self.queue, &pause).await;
        paused.expect("pause");
    }

    /// Ends a pause, and says whether there was one.
    pub(crate) async fn resume(&self) -> bool {
        let resumed = self.store.admin.resume(&self.queue).await;
        resumed.expect("resume")
    }

    /// Marks the queue as being moved away, or lifts the mark.
    pub(crate) async fn mark_moving(&self, to: Option<&str>) {
        let mark = to.map(|to| MovingMark {
            to: to.to_owned(),
            since: Timestamp::EPOCH,
        });
        let admin = &self.store.admin;
        let marked = admin.mark_moving(&self.queue, mark.as_ref()).await;
        marked.expect("mark_moving");
    }

    /// Redrives one dead letter that must be there.
    pub(crate) async fn redrive(&self, id: MessageId) {
        let redriven = self.store.admin.redrive(&self.queue, &[id]).await;
        assert_eq!(one(redriven), Changed::Applied, "redrive");
    }

    pub(crate) async fn try_redrive(&self, id: MessageId) -> Changed {
        one(self.store.admin.redrive(&self.queue, &[id]).await)
    }

    pub(crate) async fn discard(&self, id: MessageId) -> Changed {
        one(self.store.admin.discard(&self.queue, &[id]).await)
    }

    pub(crate) async fn cancel(&self, id: MessageId) -> Changed {
        one(self.store.admin.cancel(&self.queue, &[id]).await)
    }

    pub(crate) async fn reschedule(&self, id: MessageId, due: Due) -> Changed {
        one(self.store.admin.reschedule(&self.queue, &[id], due).await)
    }

    /// Purges until nothing is left to purge, in steps of `max`, and counts.
    pub(crate) async fn purge(&self, max: u32) -> u64 {
        let mut removed = 0;
        loop {
            let purged = self
                .store
                .admin
                .purge(&self.queue, crate::stage::count(max));
            let purged = purged.await.expect("purge");
            assert!(purged.removed <= u64::from(max), "a purge took too many");
            removed += purged.removed;
            if !purged.more {
                return removed;
            }
        }
    }
}

fn one(answer: Result<Vec<Changed>>) -> Changed {
    let answer = answer.expect("the call works");
    assert_eq!(answer.len(), 1, "one outcome for one id");
    answer[0]
}
