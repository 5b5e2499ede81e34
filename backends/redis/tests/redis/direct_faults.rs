//! Bare receives where the server forgets, falls, answers in vain or denies.

use std::time::Duration;

use longshore_core::Settled;

use crate::servers::{Commands as _, Proxy, Server};
use crate::stage::{
    ack, assert_empty, bare_reads, bodies, names, number, open, opened, stats, store_numbers, take,
    take_for, warm,
};

#[tokio::test]
async fn a_server_that_forgot_the_scripts_hands_out_nothing_unbooked() {
    let server = Server::start(&[]).unwrap();
    let store = warm(&server).await;
    store_numbers(&store, 0..60).await;
    let mut all = Vec::new();
    for round in 0..6 {
        if round % 2 == 0 {
            server.command(&["SCRIPT", "FLUSH"]).await;
        }
        let taken = take(&store, 10).await;
        assert_eq!(bodies(&taken), names(10 * round..10 * round + 10));
        all.extend(taken);
        assert_eq!(stats(&store).await.leased, all.len() as u64);
    }
    assert_eq!(ack(&store, &all).await, [Settled::Applied; 60]);
    assert_empty(&server, &store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_the_bare_way_is_asked_for_again() {
    let server = Server::start(&[]).unwrap();
    let _warm = warm(&server).await;
    let proxy = Proxy::to(server.port()).await;
    let store = open(&proxy.url("timeout=3s")).await;
    store_numbers(&store, 0..30).await;
    for _ in 0..3 {
        let taken = take(&store, 10).await;
        ack(&store, &taken).await;
    }
    for _ in 0..10 {
        store_numbers(&store, 0..20).await;
        let before = bare_reads(&server).await;
        proxy.lose_next();
        let taken = take(&store, 10).await;
        assert!(proxy.has_lost());
        assert_eq!(bare_reads(&server).await, before + 1);
        assert_eq!(bodies(&taken), names(0..10));
        assert!(taken.iter().all(|one| one.attempt == 1));
        assert_eq!(stats(&store).await.leased, 10);
        assert_eq!(ack(&store, &taken).await, [Settled::Applied; 10]);
        let rest = take(&store, 10).await;
        assert_eq!(bodies(&rest), names(10..20));
        assert_eq!(ack(&store, &rest).await, [Settled::Applied; 10]);
    }
    assert_empty(&server, &store).await;
}

#[tokio::test]
async fn a_count_that_went_wrong_loses_nothing() {
    let server = Server::start(&[]).unwrap();
    let store = warm(&server).await;
    store_numbers(&store, 0..14).await;
    let first = take(&store, 10).await;
    // Fewer are said to be leased than are: more seem to wait.
    server
        .command(&["HSET", "{longshore/work#0}:c", "f", "0"])
        .await;
    let lease = Duration::from_millis(60);
    let second = take_for(&store, 10, lease, Duration::ZERO).await.unwrap();
    assert_eq!(bodies(&second), names(10..14));
    assert_eq!(ack(&store, &first).await, [Settled::Applied; 10]);
    assert_eq!(ack(&store, &second[..3]).await, [Settled::Applied; 3]);
    let back = take_for(&store, 10, Duration::from_secs(30), Duration::from_secs(9))
        .await
        .unwrap();
    assert_eq!(bodies(&back), ["13"]);
    assert_eq!(back[0].attempt, 2);
    assert_eq!(ack(&store, &back).await, [Settled::Applied]);
    for key in ["h", "l", "e"].map(|name| format!("{{longshore/work#0}}:{name}")) {
        assert_eq!(number(&server, &["EXISTS", &key]).await, 0, "{key}");
    }
}

#[tokio::test]
async fn a_server_that_comes_back_knows_what_was_leased() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]).unwrap();
    let store = warm(&server).await;
    store_numbers(&store, 0..40).await;
    let taken = [take(&store, 10).await, take(&store, 10).await].concat();
    server.kill();
    server.start_again();
    let store = opened(&server).await;
    assert_eq!(stats(&store).await.leased, 20);
    let rest = [take(&store, 10).await, take(&store, 10).await].concat();
    assert_eq!(bodies(&rest), names(20..40));
    assert_eq!(ack(&store, &taken).await, [Settled::Applied; 20]);
    assert_eq!(ack(&store, &rest).await, [Settled::Applied; 20]);
    assert_empty(&server, &store).await;
}

/// The words of the line for a worker in the documentation, with a password.
fn documented_worker() -> Vec<String> {
    let text = include_str!("../../../../docs/redis.md");
    let block = text.split("```acl worker\n").nth(1).expect("a block");
    let line = block.lines().next().expect("a line");
    line.split(' ')
        .map(|word| word.replace("CHANGE-ME", "pw"))
        .collect()
}

#[tokio::test]
async fn a_worker_that_lacks_a_right_of_the_bare_way_goes_through_the_script() {
    let server = Server::start(&[]).unwrap();
    let admin = opened(&server).await;
    let documented = documented_worker();
    let rights = [
        "",
        "+multi",
        "+exec",
        "+xreadgroup",
        "+xgroup|create",
        "+xgroup|setid",
        "+xinfo|groups",
    ];
    for lacking in rights {
        assert!(
            lacking.is_empty() || documented.iter().any(|word| word == lacking),
            "{lacking}"
        );
        server.command(&["FLUSHALL"]).await;
        server.command(&["SCRIPT", "FLUSH"]).await;
        server.command(&["CONFIG", "RESETSTAT"]).await;
        server.command(&["ACL", "DELUSER", "worker"]).await;
        let words: Vec<&str> = documented
            .iter()
            .map(String::as_str)
            .filter(|word| *word != lacking)
            .collect();
        server.command(&words).await;
        let store = open(&format!("redis://worker:pw@127.0.0.1:{}/0", server.port())).await;
        store_numbers(&admin, 0..60).await;
        let mut all = Vec::new();
        for round in 0..6 {
            let taken = take(&store, 10).await;
            assert_eq!(
                bodies(&taken),
                names(10 * round..10 * round + 10),
                "without {lacking}"
            );
            all.extend(taken);
        }
        assert_eq!(
            ack(&store, &all).await,
            [Settled::Applied; 60],
            "without {lacking}"
        );
        assert_eq!(stats(&admin).await.live(), 0);
        // The first receive teaches the way, the next one the script; all others are bare.
        let all_bare = bare_reads(&server).await == 5;
        assert_eq!(all_bare, lacking.is_empty(), "without {lacking}");
    }
}
