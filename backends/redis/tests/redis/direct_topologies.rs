//! Bare receives where there are several servers.

use longshore_core::Settled;

use crate::servers::{Cluster, Server, Watched};
use crate::stage::{ack, bare_reads, bodies, names, open, stats, store_numbers, take};

/// Six receives: the first teaches the way, the second one the script.
async fn assert_bare(servers: &[Server], url: &str) {
    let store = open(url).await;
    store_numbers(&store, 0..60).await;
    let mut all = Vec::new();
    for round in 0..6 {
        let taken = take(&store, 10).await;
        assert_eq!(bodies(&taken), names(10 * round..10 * round + 10));
        all.extend(taken);
        assert_eq!(stats(&store).await.leased, all.len() as u64);
    }
    assert_eq!(ack(&store, &all).await, [Settled::Applied; 60]);
    assert_eq!(stats(&store).await.live(), 0);
    let mut reads = 0;
    for server in servers {
        reads += bare_reads(server).await;
    }
    assert_eq!(reads, 5);
}

#[tokio::test]
async fn a_cluster_is_read_beside_the_script_too() {
    let cluster = Cluster::start().await;
    assert_bare(&cluster.servers, &cluster.url("")).await;
}

#[tokio::test]
async fn a_primary_that_sentinels_name_is_read_beside_the_script_too() {
    let watched = Watched::start().await;
    assert_bare(&watched.servers[..1], &watched.url("")).await;
}
