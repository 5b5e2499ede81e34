//! A worker at one end of a move.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use longshore::core::{
    AttemptRecord, DeadReason, Delivery, Disposition, Due, Label, Receive, Settled, Settlement,
    Timestamp,
};
use longshore::transfer::Place as End;

use super::crowd::Crowd;

/// Deliveries in the hands of a worker.
pub(super) struct Hand<'a> {
    at: &'a End,
    deliveries: Vec<Delivery>,
}

impl<'a> Hand<'a> {
    /// Takes a few.
    pub(super) async fn take(at: &'a End, crowd: &mut Crowd) -> Self {
        let max = NonZeroU32::new(12).expect("12 is not zero");
        let deliveries = receive(at, max, Duration::from_secs(5)).await;
        for one in &deliveries {
            crowd.taken(one);
        }
        Self { at, deliveries }
    }

    /// Settles about half of them, each as it comes.
    pub(super) async fn settle_some(&mut self, crowd: &mut Crowd) {
        let half = self.deliveries.len() / 2;
        for one in self.deliveries.drain(..half).collect::<Vec<_>>() {
            settle_anyhow(self.at, &one, crowd).await;
        }
    }

    pub(super) async fn settle_rest(&mut self, crowd: &mut Crowd) {
        for one in self.deliveries.drain(..).collect::<Vec<_>>() {
            settle_anyhow(self.at, &one, crowd).await;
        }
    }
}

async fn receive(at: &End, max: NonZeroU32, wait: Duration) -> Vec<Delivery> {
    let request = Receive {
        batch_max: max,
        lease: Duration::from_secs(60),
        wait_max: wait,
    };
    let received = at.backend.queues.receive(&at.queue, request).await;
    received.expect("receive").deliveries
}

async fn settle_anyhow(at: &End, one: &Delivery, crowd: &mut Crowd) {
    let record = || {
        let now = Timestamp::from_millis(1_800_000_000_000);
        AttemptRecord::new("w", now, now, Label::lossy("handler.test"), "it failed")
    };
    let disposition = match crowd.random.u8(..6) {
        0 | 1 => Disposition::Ack,
        2 => Disposition::Retry {
            due: Due::In(Duration::from_millis(crowd.random.u64(0..500))),
            record: record(),
            checkpoint: None,
        },
        3 => Disposition::Release {
            due: None,
            checkpoint: None,
        },
        fate => Disposition::DeadLetter {
            reason: DeadReason::Permanent,
            record: record(),
            park_group: fate == 4,
            checkpoint: None,
        },
    };
    match &disposition {
        Disposition::Ack => crowd.acked(one),
        Disposition::DeadLetter {
            park_group: false, ..
        } => crowd.passed(one.message.id),
        _ => {}
    }
    // Before the call: from its answer on another one may have the next member.
    crowd.given_back(one);
    settle(at, one, disposition).await;
}

async fn settle(at: &End, one: &Delivery, disposition: Disposition) {
    let item = Settlement {
        receipt: one.receipt.clone(),
        disposition,
    };
    let settled = at.backend.queues.settle(&at.queue, &[item]).await;
    assert_eq!(settled.expect("settle"), [Settled::Applied]);
}

/// Acks what comes, until nothing has come for so long.
pub(super) async fn work_off(at: &End, crowd: &mut Crowd, quiet: Duration) {
    let max = NonZeroU32::new(20).expect("20 is not zero");
    let mut last = Instant::now();
    while last.elapsed() < quiet {
        for one in receive(at, max, Duration::from_millis(100)).await {
            last = Instant::now();
            crowd.taken(&one);
            crowd.acked(&one);
            crowd.given_back(&one);
            settle(at, &one, Disposition::Ack).await;
        }
    }
}
