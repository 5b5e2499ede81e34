//! Many hands with short leases, some of which let go without a word.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_core::{
    Backend, Delivery, Disposition, Due, MessageId, Settled, Settlement, Timestamp,
};

use crate::servers::Server;
use crate::stage::{fresh, grouped, open, queue, stats, take_for};

const MESSAGES: usize = 3_000;
const HANDS: u64 = 8;
const LEASE: Duration = Duration::from_millis(250);

/// What the hands saw.
#[derive(Default)]
struct Ledger {
    acked: BTreeSet<MessageId>,
    /// Until when the last delivery of a message is exclusive, unless it was settled.
    held: BTreeMap<MessageId, Timestamp>,
    stale: u32,
}

impl Ledger {
    fn delivered(&mut self, one: &Delivery) {
        let id = one.message.id;
        assert!(!self.acked.contains(&id), "{id} is delivered after its ack");
        let began = one.leased_until.as_millis() - LEASE.as_millis() as i64;
        if let Some(until) = self.held.insert(id, one.leased_until) {
            assert!(
                until.as_millis() <= began,
                "{id} is delivered inside a live lease"
            );
        }
    }

    fn settled(&mut self, one: &Delivery, fate: &Disposition, outcome: Settled) {
        let id = one.message.id;
        if outcome != Settled::Applied {
            self.stale += 1;
            return;
        }
        if *fate == Disposition::Ack {
            assert!(self.acked.insert(id), "{id} is acked twice");
        }
        if self.held.get(&id) == Some(&one.leased_until) {
            self.held.remove(&id);
        }
    }
}

/// Works until everything is acked. The lock is held over each call, so that the ledger is in the
/// order of the server.
async fn work(store: Backend, ledger: Arc<tokio::sync::Mutex<Ledger>>, seed: u64) {
    let mut chance = fastrand::Rng::with_seed(seed);
    loop {
        let taken = {
            let mut ledger = ledger.lock().await;
            if ledger.acked.len() == MESSAGES {
                return;
            }
            let max = chance.u32(1..40);
            let taken = take_for(&store, max, LEASE, Duration::ZERO)
                .await
                .expect("receive");
            for one in &taken {
                ledger.delivered(one);
            }
            taken
        };
        match chance.u32(0..10) {
            // It dies with all it holds.
            0 => continue,
            // It hangs until the lease has ended.
            1 => tokio::time::sleep(LEASE + Duration::from_millis(30)).await,
            _ => tokio::task::yield_now().await,
        }
        let some: Vec<&Delivery> = taken.iter().filter(|_| chance.u32(0..8) > 0).collect();
        let fates: Vec<Disposition> = some.iter().map(|_| fate(&mut chance)).collect();
        let batch: Vec<Settlement> = some
            .iter()
            .zip(&fates)
            .map(|(one, fate)| Settlement {
                receipt: one.receipt.clone(),
                disposition: fate.clone(),
            })
            .collect();
        let mut ledger = ledger.lock().await;
        let outcomes = store.queues.settle(&queue(), &batch).await.expect("settle");
        for ((one, fate), outcome) in some.into_iter().zip(&fates).zip(outcomes) {
            ledger.settled(one, fate, outcome);
        }
    }
}

fn fate(chance: &mut fastrand::Rng) -> Disposition {
    let release = |due| Disposition::Release {
        due,
        checkpoint: None,
    };
    match chance.u32(0..20) {
        0 => release(None),
        1 => release(Some(Due::In(Duration::from_millis(40)))),
        2 => release(Some(Due::NOW)),
        _ => Disposition::Ack,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hands_that_die_and_hang_lose_nothing_and_double_nothing() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("")).await;
    for part in 0..MESSAGES / 100 {
        let mut batch = fresh(&["x"; 60]);
        batch
            .extend((0..40).map(|number| grouped(&format!("g{}", number % 13), &part.to_string())));
        store.queues.enqueue(&queue(), &batch).await.unwrap();
    }
    let ledger = Arc::new(tokio::sync::Mutex::new(Ledger::default()));
    let began = Instant::now();
    let mut hands = Vec::new();
    for seed in 0..HANDS {
        let store = open(&server.url("")).await;
        hands.push(tokio::spawn(work(store, ledger.clone(), seed)));
    }
    for hand in hands {
        let left = Duration::from_secs(60).saturating_sub(began.elapsed());
        tokio::time::timeout(left, hand)
            .await
            .expect("it ends")
            .expect("no rule is broken");
    }
    let stats = stats(&store).await;
    assert_eq!((stats.live(), stats.dead), (0, 0));
    let ledger = ledger.lock().await;
    assert!(
        ledger.stale > 0,
        "nothing was ever stale: the test shows too little"
    );
}
