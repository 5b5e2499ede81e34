//! Large bodies beside small ones.

use crate::servers::{Server, text};
use crate::stage::{ack, bodies, fresh, given, open, queue, stats, take};
use longshore_core::{Disposition, Due, Enqueued, Settled, Settlement};

async fn keys(server: &Server) -> String {
    text(server.command(&["KEYS", "*:p:*"]).await)
}

#[tokio::test]
async fn bodies_of_every_size_keep_their_order_and_leave_no_key() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("")).await;
    // On both sides of the border, the border itself, and the largest that a queue takes.
    let sizes = [10, 16_383, 16_384, 16_385, 300_000, 1_048_576, 20];
    let sent: Vec<String> = sizes
        .iter()
        .enumerate()
        .map(|(number, size)| format!("{number}{}", "x".repeat(size - 1)))
        .collect();
    let words: Vec<&str> = sent.iter().map(String::as_str).collect();
    for _ in 0..3 {
        let stored = store.queues.enqueue(&queue(), &fresh(&words)).await;
        assert_eq!(stored.unwrap(), [Enqueued::Stored; 7]);
        let taken = take(&store, 10).await;
        assert_eq!(bodies(&taken), sent);
        // Back once, so that the body moves with its row.
        let again: Vec<Settlement> = taken
            .iter()
            .map(|one| Settlement {
                receipt: one.receipt.clone(),
                disposition: Disposition::Release {
                    due: Some(Due::NOW),
                    checkpoint: Some("k".into()),
                },
            })
            .collect();
        let released = store.queues.settle(&queue(), &again).await.unwrap();
        assert_eq!(released, [Settled::Applied; 7]);
        let taken = take(&store, 10).await;
        assert_eq!(bodies(&taken), sent);
        assert_eq!(ack(&store, &taken).await, [Settled::Applied; 7]);
        assert_eq!(keys(&server).await, "", "bodies are left behind");
    }
    assert_eq!(stats(&store).await.live(), 0);
}

#[tokio::test]
async fn a_duplicate_leaves_no_second_body_and_a_cancelled_message_none() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("")).await;
    let large = given(&"large".repeat(10_000));
    for _ in 0..3 {
        let stored = store
            .queues
            .enqueue(&queue(), std::slice::from_ref(&large))
            .await;
        assert_eq!(stored.unwrap().len(), 1);
        assert_eq!(keys(&server).await.lines().count(), 1);
    }
    store.admin.cancel(&queue(), &[large.id]).await.unwrap();
    assert_eq!(keys(&server).await, "");
}
