//! A queue is moved between each two stores while workers have some of it: nothing is lost, nothing
//! is worked twice, and no member of a group passes another one or is in hands beside it.

mod crowd;
mod end;

use std::time::Duration;

use longshore::Connection;
use longshore::transfer::{self, Ended, Moved, Place as End};
use longshore_system_tests::{CassandraCluster, Place};
use tokio_util::sync::CancellationToken;

use crowd::Crowd;
use end::{Hand, work_off};

/// Histories that are made up for each two stores.
const SEEDS: u64 = 4;
/// Messages where a store takes its time.
const SEEDS_OF_CASSANDRA: u64 = 1;

/// What is due is handed out within this long.
const QUIET: Duration = Duration::from_millis(300);

/// A store of each kind, and what keeps it there.
struct Stores {
    urls: Vec<String>,
    _places: [Place; 2],
}

impl Stores {
    fn new() -> Self {
        let (file, server) = (Place::new(), Place::on_redis());
        let mut urls = vec![file.store(), server.store()];
        urls.extend(CassandraCluster::find().map(|cluster| cluster.store()));
        Self {
            urls,
            _places: [file, server],
        }
    }

    /// Each with each, itself among them.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let each = self.urls.iter();
        each.flat_map(|from| self.urls.iter().map(move |to| (from.as_str(), to.as_str())))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_stay_whole_between_each_two_stores() {
    let stores = Stores::new();
    for (from, to) in stores.pairs() {
        let is_slow = from.starts_with("cassandra") || to.starts_with("cassandra");
        let seeds = if is_slow { SEEDS_OF_CASSANDRA } else { SEEDS };
        for seed in 0..seeds {
            play(from, to, seed).await;
        }
    }
}

async fn open(url: &str) -> Connection {
    longshore::connect(url).await.expect("the store opens")
}

/// One history: a crowd, some of it leased, moved while the leased ones are settled and a worker works at the
/// other end.
async fn play(from: &str, to: &str, seed: u64) {
    println!("from {from} to {to}, seed {seed}");
    let (here, there) = (open(from).await, open(to).await);
    let queue = |word: &str| format!("{word}-{:016x}", fastrand::u64(..)).parse();
    let from = End::new(here.backend().clone(), queue("from").expect("a name"));
    let to = End::new(there.backend().clone(), queue("to").expect("a name"));
    let mut crowd = Crowd::new(seed);
    crowd.enqueue(&from).await;
    let mut held = Hand::take(&from, &mut crowd).await;
    held.settle_some(&mut crowd).await;

    transfer::begin(&from, "the other end".into(), here.clock().now())
        .await
        .expect("the mark is set");
    let stop = CancellationToken::new();
    let mut moved = Moved::default();
    {
        let moving = transfer::run(&from, &to, &stop, &mut moved, |_| ());
        let working = async {
            // What is at the other end is worked while the heads of other groups are still here.
            work_off(&to, &mut crowd, Duration::from_millis(300)).await;
            held.settle_rest(&mut crowd).await;
        };
        let (ended, ()) = tokio::join!(moving, working);
        assert_eq!(ended.expect("the move ends"), Ended::Emptied);
    }
    transfer::end(&from).await.expect("the mark is lifted");

    // Longer than what was put off is put off.
    work_off(&to, &mut crowd, Duration::from_secs(1)).await;
    crowd.redrive(&to).await;
    work_off(&to, &mut crowd, QUIET).await;
    let left = from.backend.admin.stats(&from.queue).await.expect("stats");
    assert_eq!(left.map(|left| left.live() + left.dead), Some(0));
    crowd.judge();
}
