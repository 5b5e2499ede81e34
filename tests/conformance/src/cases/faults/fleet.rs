//! A fleet of workers that fail, give back and vanish.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use longshore_core::{Backend, Delivery, Disposition, NewMessage, Settled, Settlement};
use tokio::task::JoinSet;

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message};
use crate::settling::{release, retry_in};
use crate::stage::LEASE;

cases! { "fleet";
    1 a_failing_fleet_works_every_message_off_once,
    8 a_failing_fleet_works_groups_off_in_order,
}

/// Bodies in the order in which they were acked.
type Acked = Arc<Mutex<Vec<Vec<u8>>>>;

/// What a worker makes of a delivery: always the same for the same one.
fn fate(delivery: &Delivery) -> Option<Disposition> {
    let number = delivery.message.body.iter().map(|byte| u32::from(*byte));
    let chance = (number.sum::<u32>() * 7 + delivery.attempt * 3) % 10;
    match chance {
        0 => None,
        1 | 2 => Some(retry_in(0)),
        3 => Some(retry_in(10)),
        // A release gives the attempt back, so it would come again forever.
        4 if delivery.recorded_through + 1 < delivery.attempt => Some(release()),
        _ => Some(Disposition::Ack),
    }
}

/// Works until there is nothing to receive. What it vanished with stays leased.
async fn work(stage: Arc<Stage>, at: Backend, acked: Acked) {
    loop {
        let received = stage.receive_at(&at, 4, LEASE).await;
        if received.deliveries.is_empty() {
            return;
        }
        for delivery in received.deliveries {
            let Some(disposition) = fate(&delivery) else {
                continue;
            };
            let is_ack = disposition == Disposition::Ack;
            // The successor in a group may be acked before this answer is read: note it first.
            if is_ack {
                let mut acked = acked.lock().expect("no poison");
                acked.push(delivery.message.body.to_vec());
            }
            let item = Settlement {
                receipt: delivery.receipt,
                disposition,
            };
            let outcome = at.queues.settle(&stage.queue, &[item]).await;
            assert_eq!(outcome.expect("settle"), [Settled::Applied]);
        }
    }
}

/// Lets six workers on two handles work in shifts; after each the leases of the vanished end.
async fn drain(stage: Stage, batch: &[NewMessage]) -> Vec<Vec<u8>> {
    stage.put(batch).await;
    let other = stage.subject.reopen().await;
    let stage = Arc::new(stage);
    let acked = Acked::default();
    for _shift in 0..200 {
        let mut workers = JoinSet::new();
        for at in [&stage.store, &other].into_iter().cycle().take(6) {
            workers.spawn(work(stage.clone(), at.clone(), acked.clone()));
        }
        while let Some(ended) = workers.join_next().await {
            ended.expect("no worker panics");
        }
        if stage.stats().await.live() == 0 {
            break;
        }
        stage.advance(LEASE);
    }
    assert_eq!(stage.counts().await, [0, 0, 0, 0]);
    let acked = acked.lock().expect("no poison");
    acked.clone()
}

/// Nothing is lost and nothing is done twice, no matter who fails and how often.
async fn a_failing_fleet_works_every_message_off_once(stage: Stage) {
    let bodies: Vec<_> = (0..150_u8).map(|number| vec![number]).collect();
    let batch: Vec<_> = bodies.iter().map(message).collect();
    let mut acked = drain(stage, &batch).await;
    acked.sort();
    assert_eq!(acked, bodies);
}

/// However the members fail, each group is worked in its order.
async fn a_failing_fleet_works_groups_off_in_order(stage: Stage) {
    let batch: Vec<_> = (0..80_u8)
        .map(|number| message([number % 4, number / 4]).group(&format!("g{}", number % 4)))
        .collect();
    let mut groups: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for body in drain(stage, &batch).await {
        groups.entry(body[0]).or_default().push(body[1]);
    }
    for (group, order) in groups {
        assert_eq!(order, (0..20).collect::<Vec<_>>(), "group {group}");
    }
}
