//! One run: two producers and up to three owners for ten minutes of faults, and a calm after it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use longshore_core::MessageId;
use uuid::Uuid;

use super::actors::{Actor, QUEUE};
use super::broken::{Broken, Fault};
use super::history::History;
use super::network::Network;
use super::process::Process;
use super::rows::Simulated;
use super::virtual_time::in_virtual_time;
use super::weather::{STORM, millis};
use crate::check::census::Counted;
use crate::protocol::storage::{Bucket, Storage, Stream};
use crate::protocol::stream_kind;

/// Messages that each producer sends.
const MESSAGES: u128 = 12;

/// Who hands messages out in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// Processes that each believe to be the only owner: what must hold without any lease.
    Believers,
    /// Processes that share the stripe by its lease.
    Owners,
}

/// Plays a seed; with a fault, all producers or all owners have it.
pub(super) fn play(seed: u64, cast: Cast, fault: Option<Fault>) -> History {
    in_virtual_time(async {
        fastrand::seed(seed);
        let mut rng = Rng::with_seed(seed);
        let network = Arc::new(Network::new(&mut rng));
        let history = Arc::new(Mutex::new(History::default()));
        let actor = |rng: &mut Rng, fault: Option<Fault>| {
            let process = Process::new(&network, rng);
            let rows = Simulated(process.clone());
            let storage: Arc<dyn Storage> = match fault {
                Some(fault) => Arc::new(Broken::new(rows, fault)),
                None => Arc::new(rows),
            };
            Actor::new(&process, storage, &history)
        };
        let (of_producers, of_owners) = match fault {
            Some(Fault::NoCheckAfterWrite) => (fault, None),
            _ => (None, fault),
        };
        let producers = [(); 2].map(|()| actor(&mut rng, of_producers));
        let last = actor(&mut rng, of_owners);
        let others = 0..rng.usize(0..3);
        let others: Vec<_> = others.map(|_| actor(&mut rng, of_owners)).collect();
        let on_time = std::iter::once(&last).chain(&others);
        let is_exact = on_time.clone().all(|it| it.process.is_on_time());
        let mut tasks = Vec::new();
        for (number, producer) in (1..).zip(producers) {
            let id = |index: u128| MessageId::from_uuid(Uuid::from_u128(number << 64 | index));
            let producer = match cast {
                Cast::Believers => producer,
                Cast::Owners => producer.sharing(),
            };
            tasks.push(tokio::spawn(
                producer.produce((0..MESSAGES).map(id).collect()),
            ));
        }
        // The others are killed some time; the last one stays alone. Of those that share by leases
        // some live as long as it does.
        let mut doomed = Vec::new();
        for other in others {
            if cast == Cast::Owners && rng.bool() {
                tasks.push(tokio::spawn(other.sharing().serve()));
                continue;
            }
            let dies = millis(&mut rng, STORM.as_millis() as u64);
            let process = other.process.clone();
            doomed.push(match cast {
                Cast::Believers => tokio::spawn(other.own()),
                Cast::Owners => tokio::spawn(other.sharing().serve()),
            });
            tasks.push(tokio::spawn(async move {
                tokio::time::sleep(dies).await;
                process.kill();
            }));
        }
        tasks.push(match cast {
            Cast::Believers => tokio::spawn(last.own()),
            Cast::Owners => tokio::spawn(last.sharing().serve()),
        });
        for ended in join_all(tasks).await {
            ended.expect("no task panics");
        }
        for task in doomed {
            task.abort();
        }
        let left_over = left_over(&actor(&mut rng, None)).await;
        let mut history = history.lock().unwrap_or_else(PoisonError::into_inner);
        history.left_over = left_over;
        if !is_exact {
            // A lease is as long as the clocks of two hosts say.
            history.delivered_twice = 0;
        }
        std::mem::take(&mut *history)
    })
}

/// Buckets that are over for long and still there.
async fn left_over(looker: &Actor) -> Vec<String> {
    let mut found = Vec::new();
    for kind in [1, stream_kind::DELAYED] {
        let stream = Stream {
            queue: QUEUE,
            shard: 0,
            kind,
        };
        let marks = looker.storage.marks(stream).await.expect("calm weather");
        let buckets = looker.storage.buckets(stream, marks.done_to).await;
        for row in buckets.expect("calm weather") {
            let number = row.number;
            let end = stream_kind::end_of(Bucket { stream, number });
            // By the slowest clock of an owner.
            if !row.done && end.plus(Duration::from_secs(600)) < looker.process.now() {
                found.push(format!("bucket {number} of kind {kind} was not retired"));
            }
        }
    }
    found.extend(wrong_states(looker).await);
    found
}

/// What `longshore fsck` would find wrong.
async fn wrong_states(looker: &Actor) -> Vec<String> {
    let mut counted = Counted::default();
    let (rows, now) = (&*looker.storage, looker.process.now());
    let done = counted.count(rows, QUEUE, 0, now).await;
    done.expect("calm weather");
    let Counted {
        lost,
        unreadable,
        crossed,
        damaged,
        ..
    } = &counted;
    if lost.is_empty() && *unreadable + *crossed + *damaged == 0 {
        return Vec::new();
    }
    vec![format!("rows that contradict each other: {counted:?}")]
}
