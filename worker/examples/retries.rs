//! What fails is tried again by policy: here a busy service gets more patience than the rest,
//! and what cannot succeed goes to the dead letters at once.

use longshore::prelude::*;
use longshore::test_kit::TestWorker;

#[derive(Serialize, Deserialize)]
struct Fetch {
    status: u16,
}

impl Job for Fetch {
    const KIND: &'static str = "fetch";
}

async fn fetch(job: Fetch) -> Result<(), Failure> {
    match job.status {
        200 => Ok(()),
        404 => Err(Failure::permanent("there is no such page").label("http.404")),
        status => Err(Failure::retryable("try later").label(format!("http.{status}"))),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let patient = Policy::redeliveries(5)
        .delay(Duration::from_secs(1))
        .multiplier(2.0);
    let worker = TestWorker::new().await?.handle(fetch).configure(|q| {
        q.policy(Policy::redeliveries(2).jitter(0.0))
            .on_error("http.503", patient)
    });
    for status in [200, 404, 500, 503] {
        println!("{status}: {:?}", worker.run_one(Fetch { status }).await?);
    }
    // A minute later both retries have run as often as their policy lets them.
    for _ in 0..60 {
        worker.advance(Duration::from_secs(1));
        worker.drain().await?;
    }
    for dead in worker.dead_letters().await? {
        let reason = dead.dead().map_or("?", |mark| mark.reason.as_str());
        println!("dead after {} attempts: {reason}", dead.attempts);
    }
    Ok(())
}
