//! Messages of one group are worked one at a time and in order, whatever fails in between.

use longshore::prelude::*;
use longshore::test_kit::TestWorker;

#[derive(Serialize, Deserialize)]
struct Step {
    order: String,
    what: String,
}

impl Job for Step {
    const KIND: &'static str = "step";
}

async fn step(job: Step, Attempt(attempt): Attempt) -> Result<(), Failure> {
    if job.what == "paid" && attempt == 1 {
        println!("{}: {} fails", job.order, job.what);
        return Err(Failure::retryable("the bank is slow"));
    }
    println!("{}: {}", job.order, job.what);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let worker = TestWorker::new().await?.handle(step);
    for what in ["placed", "paid", "sent"] {
        for order in ["order-1", "order-2"] {
            let job = Step {
                order: order.to_owned(),
                what: what.to_owned(),
            };
            worker.queue().enqueue(job).group(order).await?;
        }
    }
    worker.drain().await?;
    println!("both groups wait for their head; nothing overtakes it");
    worker.advance(Duration::from_secs(2));
    worker.drain().await?;
    Ok(())
}
