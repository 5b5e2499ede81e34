//! How handlers are tested: on a memory store, one message at a time, with time moved by hand.

use longshore::prelude::*;
use longshore::test_kit::{Ran, TestWorker};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    item: String,
}

impl Job for Order {
    const KIND: &'static str = "order";
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Invoice {
    item: String,
}

impl Job for Invoice {
    const KIND: &'static str = "invoice";
}

/// The code under test: an order leads to one invoice, however often it is run.
async fn order(job: Order, enqueue: Enqueue) -> Result<(), Failure> {
    if job.item.is_empty() {
        return Err(Failure::permanent("an order for nothing"));
    }
    let invoice = Invoice { item: job.item };
    enqueue.child("invoices", "invoice", invoice)?.await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let worker = TestWorker::new().await?.handle(order);
    let item = "lamp".to_owned();
    let ran = worker.run_one(Order { item: item.clone() }).await?;
    assert_eq!(ran, Ran::Acked);
    worker.assert_enqueued("invoices", &Invoice { item }).await;

    worker
        .run_one(Order {
            item: String::new(),
        })
        .await?;
    assert_eq!(worker.dead_letters().await?.len(), 1);
    println!("all as it should be");
    Ok(())
}
