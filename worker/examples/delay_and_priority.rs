//! A message may wait until it is due, go before others, or expire.

use longshore::prelude::*;
use longshore::test_kit::TestWorker;

#[derive(Serialize, Deserialize)]
struct Remind {
    about: String,
}

impl Job for Remind {
    const KIND: &'static str = "remind";
}

async fn remind(job: Remind) {
    println!("  {}", job.about);
}

fn about(text: &str) -> Remind {
    Remind {
        about: text.to_owned(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let worker = TestWorker::new().await?.handle(remind);
    let (queue, minute) = (worker.queue(), Duration::from_secs(60));
    queue.enqueue(about("the usual")).await?;
    queue
        .enqueue(about("first of all"))
        .priority(Lane::High)
        .await?;
    queue
        .enqueue(about("in an hour"))
        .delay(60 * minute)
        .await?;
    let late = queue.enqueue(about("too late")).delay(2 * minute);
    late.expires(3 * minute).await?;

    println!("now:");
    worker.drain().await?;
    println!("an hour later:");
    worker.advance(60 * minute);
    worker.drain().await?;
    println!("expired: {}", worker.dead_letters().await?.len());
    Ok(())
}
