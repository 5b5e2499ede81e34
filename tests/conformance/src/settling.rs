//! Ends of deliveries, in short form.

use bytes::Bytes;
use longshore_core::{
    AttemptRecord, Backend, DeadReason, Delivery, Disposition, Due, Label, Receipt, Settled,
    Settlement, Timestamp,
};

use crate::Stage;
use crate::draft::secs;

impl Stage {
    pub(crate) async fn settle_at(
        &self,
        at: &Backend,
        receipt: &Receipt,
        disposition: Disposition,
    ) -> Settled {
        let item = Settlement {
            receipt: receipt.clone(),
            disposition,
        };
        let outcomes = at.queues.settle(&self.queue, &[item]).await;
        outcomes.expect("settle").pop().expect("one outcome")
    }

    pub(crate) async fn settle(&self, delivery: &Delivery, disposition: Disposition) -> Settled {
        self.settle_at(&self.store, &delivery.receipt, disposition)
            .await
    }

    /// Settles a delivery whose receipt must be good.
    pub(crate) async fn end(&self, delivery: &Delivery, disposition: Disposition) {
        let name = disposition.name();
        let outcome = self.settle(delivery, disposition).await;
        assert_eq!(outcome, Settled::Applied, "{name}");
    }

    pub(crate) async fn ack(&self, delivery: &Delivery) {
        self.end(delivery, Disposition::Ack).await;
    }

    pub(crate) async fn retry(&self, delivery: &Delivery, seconds: u64) {
        self.end(delivery, retry_in(seconds)).await;
    }

    pub(crate) async fn release(&self, delivery: &Delivery) {
        self.end(delivery, release()).await;
    }

    pub(crate) async fn bury(&self, delivery: &Delivery) {
        self.end(delivery, dead_letter()).await;
    }

    pub(crate) async fn park(&self, delivery: &Delivery) {
        self.end(delivery, parking()).await;
    }
}

/// An attempt that failed with these words.
pub(crate) fn record(error: &str) -> AttemptRecord {
    let at = Timestamp::from_millis(1_767_225_600_000);
    AttemptRecord::new("worker-1", at, at, Label::lossy("handler.test"), error)
}

pub(crate) fn retry_in(seconds: u64) -> Disposition {
    Disposition::Retry {
        due: Due::In(secs(seconds)),
        record: record("it failed"),
        checkpoint: None,
    }
}

pub(crate) fn release() -> Disposition {
    Disposition::Release {
        due: None,
        checkpoint: None,
    }
}

pub(crate) fn release_in(seconds: u64) -> Disposition {
    Disposition::Release {
        due: Some(Due::In(secs(seconds))),
        checkpoint: None,
    }
}

pub(crate) fn dead_letter() -> Disposition {
    Disposition::DeadLetter {
        reason: DeadReason::Permanent,
        record: record("it is broken"),
        park_group: false,
        checkpoint: None,
    }
}

/// Gives up a message and holds its group.
pub(crate) fn parking() -> Disposition {
    Disposition::DeadLetter {
        reason: DeadReason::Exhausted,
        record: record("it is broken"),
        park_group: true,
        checkpoint: None,
    }
}

/// The same end with another checkpoint.
pub(crate) fn with_checkpoint(disposition: Disposition, bytes: &[u8]) -> Disposition {
    let checkpoint = Some(Bytes::copy_from_slice(bytes));
    match disposition {
        Disposition::Ack => Disposition::Ack,
        Disposition::Retry { due, record, .. } => Disposition::Retry {
            due,
            record,
            checkpoint,
        },
        Disposition::Release { due, .. } => Disposition::Release { due, checkpoint },
        Disposition::DeadLetter {
            reason,
            record,
            park_group,
            ..
        } => Disposition::DeadLetter {
            reason,
            record,
            park_group,
            checkpoint,
        },
    }
}
