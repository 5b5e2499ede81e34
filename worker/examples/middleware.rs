//! Any tower layer fits around a handler: here one that tells how each job ended, and one of
//! tower's own that bounds how many run at a time.

use longshore::prelude::*;
use longshore::test_kit::TestWorker;
use longshore::{HandlerService, JobContext};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Service, ServiceExt, layer::layer_fn};

#[derive(Serialize, Deserialize)]
struct Ping {
    lucky: bool,
}

impl Job for Ping {
    const KIND: &'static str = "ping";
}

async fn ping(job: Ping) -> Result<(), Failure> {
    if job.lucky {
        return Ok(());
    }
    Err(Failure::retryable("no luck"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telling = layer_fn(|inner: HandlerService| {
        tower::service_fn(move |job: JobContext| {
            let mut inner = inner.clone();
            async move {
                let kind = job.delivery.message.kind.clone();
                let outcome = inner.ready().await?.call(job).await;
                println!("{kind}: {outcome:?}");
                outcome
            }
        })
    });
    let worker = TestWorker::new().await?.handle(ping);
    let worker = worker.configure(|q| q.layer(telling).layer(ConcurrencyLimitLayer::new(2)));
    worker.run_one(Ping { lucky: true }).await?;
    worker.run_one(Ping { lucky: false }).await?;
    Ok(())
}
