//! Orders of a customer are collected and go on as one invoice.

use longshore::aggregate::Folding;
use longshore::prelude::*;
use longshore::{Aggregate, AggregateError, AggregateRules, JobContext, Release};

#[derive(Serialize, Deserialize)]
struct Order {
    customer: String,
    amount: u32,
}

impl Job for Order {
    const KIND: &'static str = "order";
}

async fn collect(
    order: Order,
    job: JobContext,
    State(invoices): State<Aggregate>,
) -> Result<(), Failure> {
    let part = invoices.collect(&job.delivery.message, &order.customer, &order);
    part.await.map(drop).map_err(AggregateError::into_failure)
}

async fn send(invoice: Order) {
    println!("{}: {} EUR", invoice.customer, invoice.amount);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = longshore::connect("memory://shop").await?;
    let mut rules = AggregateRules::default();
    rules.size = Some(2);
    rules.at_most_ms = Some(24 * 3600 * 1000);
    let invoices = Aggregate::open(&connection, "invoices", rules)?;
    let queue = connection.queue("orders")?;
    for amount in [42, 7] {
        let customer = "ann".to_owned();
        queue.enqueue(Order { customer, amount }).await?;
    }
    let worker = Worker::builder(connection)
        .with_state(invoices.clone())
        .queue("orders", |q| q.handle(collect))
        .queue("invoices", |q| q.handle(send))
        .release(Release::to(&invoices, "invoices")?.fold(Folding::Sum))
        .build()?;
    let handle = worker.handle();
    let all_done = async {
        while handle.stats().done.acked < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    worker.run_until(all_done).await?;
    Ok(())
}
