//! The users in docs/redis.md: exactly their rights are enough, and each of them is needed.

use std::time::Duration;

use crate::servers::{Commands as _, Server};
use crate::stage::{
    ack, bodies, delayed, fresh, given, grouped, open, queue, stats, take, try_open,
};
use longshore_core::{
    AttemptRecord, Changed, Disposition, Due, Effect, Enqueued, Label, Settled, Settlement,
    StoreErrorKind,
};
use redis::Value;

/// The words of an `acl` block of the documentation, with a password.
fn documented(user: &str) -> Vec<String> {
    let text = include_str!("../../../../docs/redis.md");
    let block = text
        .split(&format!("```acl {user}\n"))
        .nth(1)
        .expect("a block for the user");
    let line = block.lines().next().expect("a line");
    line.split(' ')
        .map(|word| word.replace("CHANGE-ME", "pw"))
        .collect()
}

async fn set_user(server: &Server, words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(server.command(&words).await, Value::Okay);
}

fn url(server: &Server, user: &str) -> String {
    format!("redis://{user}:pw@127.0.0.1:{}/0?", server.port())
}

/// Everything a producer does.
async fn produce(server: &Server) -> Result<(), longshore_core::StoreError> {
    let store = try_open(&url(server, "producer")).await?;
    let mut batch = fresh(&["a", &"large".repeat(8_000)]);
    batch.push(given(&"b".repeat(20_000)));
    batch.push(grouped("g", "c"));
    batch.push(grouped("g", "d"));
    batch.push(delayed("e", Duration::from_millis(200)));
    let stored = store.queues.enqueue(&queue(), &batch).await?;
    assert_eq!(stored, [Enqueued::Stored; 6]);
    let again = store.queues.enqueue(&queue(), &batch[2..3]).await?;
    assert!(matches!(again[0], Enqueued::Duplicate { .. }));
    store
        .queues
        .enqueue(&queue(), &fresh(&["f"]))
        .await
        .map(drop)
}

#[tokio::test]
async fn a_producer_can_enqueue_and_nothing_else() {
    let server = Server::start(&[]).unwrap();
    set_user(&server, &documented("producer")).await;
    produce(&server).await.unwrap();
    let store = open(&url(&server, "producer")).await;
    let refused = crate::stage::try_take(&store, 1).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Denied, "{refused}");
    let admin = open(&server.url("")).await;
    assert_eq!(stats(&admin).await.live(), 7);
}

#[tokio::test]
async fn a_worker_can_do_all_its_work() {
    let server = Server::start(&[]).unwrap();
    set_user(&server, &documented("producer")).await;
    set_user(&server, &documented("worker")).await;
    produce(&server).await.unwrap();
    let store = open(&url(&server, "worker")).await;
    let began = std::time::Instant::now();
    let mut taken = Vec::new();
    while taken.len() < 6 && began.elapsed() < Duration::from_secs(10) {
        taken.extend(take(&store, 10).await);
    }
    let at = taken[0].leased_until;
    let record = AttemptRecord::new("w", at, at, Label::lossy("x"), "no");
    let fates = [
        Disposition::Ack,
        Disposition::Retry {
            due: Due::NOW,
            record: record.clone(),
            checkpoint: Some("k".into()),
        },
        Disposition::Release {
            due: None,
            checkpoint: Some("k".into()),
        },
        Disposition::Release {
            due: Some(Due::In(Duration::from_secs(60))),
            checkpoint: None,
        },
        Disposition::DeadLetter {
            reason: longshore_core::DeadReason::Requested,
            record,
            park_group: false,
            checkpoint: None,
        },
    ];
    let batch: Vec<Settlement> = taken
        .iter()
        .zip(fates)
        .map(|(one, disposition)| Settlement {
            receipt: one.receipt.clone(),
            disposition,
        })
        .collect();
    let receipts: Vec<_> = taken.iter().map(|one| one.receipt.clone()).collect();
    let extended = store
        .queues
        .extend(&queue(), &receipts, Duration::from_secs(9))
        .await;
    assert!(extended.unwrap().iter().all(|one| *one == Settled::Applied));
    let settled = store.queues.settle(&queue(), &batch).await.unwrap();
    assert_eq!(settled, [Settled::Applied; 5]);
    ack(&store, &taken[5..]).await;
    operate(&store, taken[4].message.id).await;
    crate::collecting::collect_and_release(&store, 30).await;
    let waited =
        crate::stage::take_for(&store, 1, Duration::from_secs(9), Duration::from_millis(50));
    waited.await.unwrap();
}

#[expect(
    clippy::unwrap_used,
    reason = "a panic is how a test says what is wrong"
)]
/// What people do with a worker's rights.
async fn operate(store: &longshore_core::Backend, dead: longshore_core::MessageId) {
    let name = longshore_core::LeaseName::new("duty").unwrap();
    let ttl = Duration::from_secs(9);
    let lease = store
        .leases
        .acquire(&name, "me", ttl)
        .await
        .unwrap()
        .expect("it is free");
    let entry = [("at".to_owned(), "7".into())];
    assert!(store.progress.save(&lease, &entry, ttl).await.unwrap());
    assert!(store.progress.load(&name, "at").await.unwrap().is_some());
    let admin = &store.admin;
    let max = std::num::NonZeroU32::new(100).unwrap();
    assert_eq!(admin.queues(None, max).await.unwrap().items, [queue()]);
    let all = admin.export(&queue(), None, max).await.unwrap();
    admin.peek(&queue(), None, max).await.unwrap();
    admin.adopt(&queue(), &all.items[..1]).await.unwrap();
    assert_eq!(
        admin.redrive(&queue(), &[dead]).await.unwrap(),
        [Changed::Applied]
    );
    assert_eq!(
        admin.cancel(&queue(), &[dead]).await.unwrap(),
        [Changed::Applied]
    );
    admin.purge(&queue(), max).await.unwrap();
    let pause = longshore_core::Pause {
        author: "me".into(),
        reason: String::new(),
        since: longshore_core::Timestamp::EPOCH,
    };
    admin.pause(&queue(), &pause).await.unwrap();
    assert!(admin.resume(&queue()).await.unwrap());
    assert_eq!(admin.workers().await.unwrap(), []);
}

#[tokio::test]
async fn no_right_of_a_producer_is_to_spare() {
    let server = Server::start(&[]).unwrap();
    let documented = documented("producer");
    // Only another server, mode or older driver needs these, or it is slower without.
    let unused = [
        "+ping",
        "+auth",
        "+select",
        "+script|load",
        "+wait",
        "+eval",
        "+evalsha",
        "+multi",
        "+exec",
    ];
    for right in documented.iter().filter(|word| word.starts_with('+')) {
        if unused.contains(&right.as_str()) {
            continue;
        }
        server.command(&["FLUSHALL"]).await;
        server.command(&["ACL", "DELUSER", "producer"]).await;
        let fewer: Vec<String> = documented
            .iter()
            .filter(|word| *word != right)
            .cloned()
            .collect();
        set_user(&server, &fewer).await;
        // A receive sleeps, so that a wake-up is due.
        let sleepers = [
            "ZADD",
            "{longshore/work#0}:w",
            "9999999999999",
            "longshore/wake/x",
        ];
        server.command(&sleepers).await;
        // A dedup key is to be forgotten.
        server
            .command(&["ZADD", "{longshore/work#0}:k", "1", "dold"])
            .await;
        let mut refused = produce(&server).await;
        if refused.is_ok() {
            let settings = ["settings", "{\"depth_max\":1000}"];
            server
                .command(&[&["HSET", "{longshore/work#0}:q"], &settings[..]].concat())
                .await;
            refused = produce(&server).await;
        }
        let error = refused.expect_err(&format!("{right} is not needed"));
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{right}: {error}");
    }
}

#[tokio::test]
async fn a_missing_right_is_named_with_the_keys() {
    let server = Server::start(&[]).unwrap();
    let documented = documented("worker");
    let without = |right: &str| -> Vec<String> {
        documented
            .iter()
            .filter(|word| !word.starts_with(right))
            .cloned()
            .collect()
    };
    for (right, named) in [
        ("+xadd", "+xadd on the keys ~{longshore/*"),
        ("+publish", "+publish on the keys"),
        ("~{longshore/*", "the keys ~{longshore/* and"),
    ] {
        server.command(&["FLUSHALL"]).await;
        server.command(&["ACL", "DELUSER", "worker"]).await;
        set_user(&server, &without(right)).await;
        let sleepers = [
            "ZADD",
            "{longshore/work#0}:w",
            "9999999999999",
            "longshore/wake/x",
        ];
        server.command(&sleepers).await;
        let error = match try_open(&url(&server, "worker")).await {
            Ok(store) => store.queues.enqueue(&queue(), &fresh(&["a"])).await,
            Err(error) => Err(error),
        };
        let error = error.expect_err(right);
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{error}");
        assert!(error.to_string().contains(named), "{right}: {error}");
    }
}

#[tokio::test]
async fn who_may_not_come_in_is_told_why() {
    let server = Server::start(&["--requirepass", "pw"]).unwrap();
    for (user, what) in [
        ("", "password"),
        (":hunter2@", "wrong"),
        ("ann:hunter2@", "wrong"),
    ] {
        let url = format!("redis://{user}127.0.0.1:{}", server.port());
        let error = try_open(&url).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (StoreErrorKind::Denied, Effect::NotApplied)
        );
        assert!(error.to_string().contains(what), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    let store = open(&format!("redis://:pw@127.0.0.1:{}", server.port())).await;
    store
        .queues
        .enqueue(&queue(), &fresh(&["a"]))
        .await
        .unwrap();
    assert_eq!(bodies(&take(&store, 1).await), ["a"]);
}
