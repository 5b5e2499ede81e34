//! A handler that blocks its thread runs on the blocking pool, and looks itself whether to stop.

use longshore::prelude::*;
use longshore::test_kit::TestWorker;

#[derive(Serialize, Deserialize)]
struct Sum {
    up_to: u64,
}

impl Job for Sum {
    const KIND: &'static str = "sum";
}

fn sum(Sum { up_to }: Sum, Cancel(cancel): Cancel) -> Result<(), Failure> {
    let mut total = 0;
    for number in 1..=up_to {
        if number % 1000 == 0 && cancel.is_cancelled() {
            return Err(Failure::retryable("told to stop"));
        }
        total += number;
    }
    println!("the sum up to {up_to} is {total}");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let worker = TestWorker::new()
        .await?
        .configure(|q| q.handle_blocking(sum));
    worker.run_one(Sum { up_to: 10_000 }).await?;
    Ok(())
}
