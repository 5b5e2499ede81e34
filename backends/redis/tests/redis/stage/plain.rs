//! A plain queue of numbers, and how it is read.

use longshore_core::{Backend, Delivery, Disposition, Settled, Settlement};
use redis::Value;

use super::{ack, fresh, opened, queue, stats, take};
use crate::servers::{Commands as _, Server, text};

/// How many receives went past the scripts.
pub(crate) async fn bare_reads(server: &Server) -> u64 {
    let info = text(server.command(&["INFO", "commandstats"]).await);
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_xreadgroup:calls="));
    line.and_then(|rest| rest.split(',').next()?.parse().ok())
        .unwrap_or(0)
}

pub(crate) async fn number(server: &Server, words: &[&str]) -> i64 {
    match server.command(words).await {
        Value::Int(number) => number,
        other => panic!("{other:?} is no number"),
    }
}

/// The server's clock.
pub(crate) async fn clock_ms(server: &Server) -> u64 {
    let Value::Array(parts) = server.command(&["TIME"]).await else {
        panic!("TIME is a list");
    };
    let parts: Vec<u64> = parts
        .into_iter()
        .map(|part| text(part).parse().expect("a number"))
        .collect();
    parts[0] * 1000 + parts[1] / 1000
}

pub(crate) fn names(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

pub(crate) async fn store_numbers(store: &Backend, numbers: std::ops::Range<usize>) {
    let names = names(numbers);
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    store
        .queues
        .enqueue(&queue(), &fresh(&words))
        .await
        .expect("enqueue");
}

/// A store whose receives of ten go the direct path, once a first batch showed the queue to be
/// plain.
pub(crate) async fn warm(server: &Server) -> Backend {
    let store = opened(server).await;
    // Twice: a server that does not know the script is told it at the first try.
    for _ in 0..2 {
        store_numbers(&store, 0..30).await;
        for _ in 0..3 {
            let taken = take(&store, 10).await;
            assert_eq!(ack(&store, &taken).await, [Settled::Applied; 10]);
        }
    }
    assert!(bare_reads(server).await > 0, "no receive went the bare way");
    store
}

pub(crate) async fn settle(store: &Backend, one: &Delivery, disposition: Disposition) -> Settled {
    let settlement = Settlement {
        receipt: one.receipt.clone(),
        disposition,
    };
    let settled = store.queues.settle(&queue(), &[settlement]).await;
    settled.expect("settle")[0]
}

/// Nothing is left but what always stays.
pub(crate) async fn assert_empty(server: &Server, store: &Backend) {
    let now = stats(store).await;
    assert_eq!((now.live(), now.leased), (0, 0), "{now:?}");
    for key in ["h", "l", "e", "o"].map(|name| format!("{{longshore/work#0}}:{name}")) {
        assert_eq!(number(server, &["EXISTS", &key]).await, 0, "{key}");
    }
}
